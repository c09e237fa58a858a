"""Writes the examples of this folder: `python make_examples.py [FOLDER]`.

Needs Keras 3 on TensorFlow and h5py; `make_lenet.py` alone needs NumPy and h5py. The pictures are
drawn, so no data set is involved. Everything is seeded; another version of Keras may place bytes differently or round the
last digit differently, so README.md states the versions behind the committed files.
"""

import os
import pathlib
import sys

os.environ.update(
    KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3",
    TF_ENABLE_ONEDNN_OPTS="0")

import h5py
import keras
import make_lenet
import numpy as np
import tensorflow as tf

SEED = 20240601
LABEL = 4
# The strokes of a handwritten four: x and y of each end, in units of the picture's side.
STROKES = [((0.36, 0.16), (0.24, 0.56)), ((0.24, 0.56), (0.74, 0.54)), ((0.62, 0.22), (0.58, 0.86))]
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def picture(side):
    """A four in bright strokes on black, [side, side, 1], values from 0 to 1."""
    y, x = (np.mgrid[0:side, 0:side] + 0.5) / side
    ink = np.zeros((side, side))
    for (x0, y0), (x1, y1) in STROKES:
        along = (x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)
        t = np.clip(along / ((x1 - x0) ** 2 + (y1 - y0) ** 2), 0, 1)
        distance = np.hypot(x - x0 - t * (x1 - x0), y - y0 - t * (y1 - y0))
        ink = np.maximum(ink, np.clip((0.075 - distance) * side / 1.5, 0, 1))
    return np.round(ink * 255).astype("float32")[..., None] / 255


def mlp(side, units, name):
    keras.utils.set_random_seed(SEED)
    return keras.Sequential([
        keras.Input((side, side, 1)), keras.layers.Flatten(name="flatten"),
        keras.layers.Dense(units, activation="relu", name="hidden"),
        keras.layers.Dense(10, name="logits")], name=name)


def gradient_of_one_sample(folder):
    model, x, y = mlp(28, 64, "mlp"), picture(28)[None], np.array([LABEL])
    with tf.GradientTape() as tape:
        value = LOSS(y, model(x, training=True))
    gradients = tape.gradient(value, model.trainable_variables)
    model.save(folder / "mlp.h5")
    with h5py.File(folder / "mlp_gradient.h5", "w") as file:
        file.attrs.update(framework="keras", batch_size=1, reduction="mean",
                          loss="softmax-cross-entropy", model_config=model.to_json())
        for variable, gradient in zip(model.trainable_variables, gradients):
            file[f"gradients/{variable.path}"] = gradient.numpy()
    with h5py.File(folder / "mlp_truth.h5", "w") as file:
        file["inputs"], file["labels"] = x, y


def update_and_optimizer_state(folder):
    x, y = picture(14)[None], np.array([LABEL])
    for name, optimizer in (
            ("update", keras.optimizers.SGD(0.1)), ("adam", keras.optimizers.Adam(0.001))):
        model = mlp(14, 24, name)
        model.compile(optimizer, LOSS)
        if name == "update":
            model.save(folder / "update_before.h5", include_optimizer=False)
        model.train_on_batch(x, y)
        if name == "update":
            model.save(folder / "update_after.h5", include_optimizer=False)
        else:
            model.save(folder / "adam_one_step.h5")


def honest_control(folder):
    keras.utils.set_random_seed(SEED)
    model = keras.Sequential([
        keras.Input((28, 28, 1)),
        keras.layers.Conv2D(16, 3, activation="relu", name="conv1"),
        keras.layers.MaxPooling2D(name="pool"),
        keras.layers.Conv2D(32, 3, activation="relu", name="conv2"),
        keras.layers.Conv2D(10, 1, name="classes"),
        keras.layers.GlobalAveragePooling2D(name="average"),
        keras.layers.Activation("softmax", name="softmax")], name="cnn")
    model.save(folder / "cnn_without_dense.h5")


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    target.mkdir(parents=True, exist_ok=True)
    gradient_of_one_sample(target)
    update_and_optimizer_state(target)
    honest_control(target)
    make_lenet.write(target)
