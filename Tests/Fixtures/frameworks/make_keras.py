"""Writes keras/: models, optimiser state and gradients by Keras 3 on TensorFlow."""
import os

os.environ.update(
    KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="",
    TF_ENABLE_ONEDNN_OPTS="0")
import h5py
import keras
import numpy as np
import tensorflow as tf
from keras import layers

from fixtures import folder, labels, pictures, truth

keras.utils.set_random_seed(7)
path = folder("keras")
CROSS_ENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
ONE, FOUR = (5,), (5, 8, 12, 2)


def save(model, stem, endings=(".h5", ".keras", ".weights.h5")):
    for ending in endings:
        write = model.save_weights if ending == ".weights.h5" else model.save
        write(path(stem + ending))


def gradient(model, inputs, classes, training=True):
    with tf.GradientTape() as tape:
        value = CROSS_ENTROPY(classes, tf.cast(model(inputs, training=training), "float32"))
    # An embedding's gradient is sparse; converting makes it an ordinary array.
    return [
        np.asarray(tf.convert_to_tensor(part))
        for part in tape.gradient(value, model.trainable_variables)]


def export(model, name, inputs, classes, training=True, **facts):
    """One file with the architecture and the gradient, as Documentation/Exporting.md does it."""
    with h5py.File(path(f"gradient_{name}.h5"), "w") as file:
        file.attrs.update(
            framework="keras", keras_version=keras.__version__, model_config=model.to_json(),
            batch_size=len(classes), training_mode=int(training), **facts)
        for variable, part in zip(
                model.trainable_variables, gradient(model, inputs, classes, training)):
            file[f"gradients/{variable.path}"] = part
    first, second = inputs if isinstance(inputs, list) else (inputs, None)
    truth(path(f"truth_{name}.h5"), first, classes, second)


def perceptron(name="mlp", hidden=12, front=(), behind=()):
    return keras.Sequential([
        keras.Input((14, 14, 1)), *front, layers.Flatten(name="flatten"),
        layers.Dense(hidden, name="fc1"), *behind, layers.Activation("relu", name="relu"),
        layers.Dense(10, name="logits")], name=name)


# --- One model in every format, a gradient of one sample and one of four ---------------------------
mlp = keras.Sequential([
    keras.Input((14, 14, 1)), layers.Flatten(name="flatten"),
    layers.Dense(12, activation="relu", name="fc1"), layers.Dense(10, name="logits")], name="mlp")
start = mlp.get_weights()
save(mlp, "mlp")
export(mlp, "mlp_b1", pictures(*ONE), labels(*ONE))
export(mlp, "mlp_b4", pictures(*FOUR), labels(*FOUR))

# --- Optimiser state after one step, and weights around one step -----------------------------------
for stem, optimizer in (
        ("adam_step1", keras.optimizers.Adam(1e-3)),
        ("sgd_momentum_step1", keras.optimizers.SGD(0.05, momentum=0.9))):
    mlp.set_weights(start)
    mlp.compile(optimizer, CROSS_ENTROPY)
    mlp.train_on_batch(pictures(*ONE), labels(*ONE))
    save(mlp, stem)
mlp.set_weights(start)
mlp.compile(keras.optimizers.SGD(0.1), CROSS_ENTROPY)
mlp.save_weights(path("pair_before.weights.h5"))
mlp.train_on_batch(pictures(*ONE), labels(*ONE))
mlp.save_weights(path("pair_after.weights.h5"))

# --- Normalisation behind the first dense layer: its bias gradient is rounding noise ---------------
noisy = perceptron("normalised", behind=[layers.BatchNormalization(name="bn")])
save(noisy, "normalised", (".h5", ".weights.h5"))
export(noisy, "normalised_b4", pictures(*FOUR), labels(*FOUR))

# --- Functional: two inputs; a model inside a model ------------------------------------------------
left, right = keras.Input((14, 14, 1), name="left"), keras.Input((6,), name="right")
both = layers.Concatenate(name="cat")([
    layers.Dense(12, activation="relu", name="left_fc")(layers.Flatten(name="flat")(left)),
    layers.Dense(8, activation="tanh", name="right_fc")(right)])
two = keras.Model([left, right], layers.Dense(10, name="out")(both), name="two_inputs")
save(two, "two_inputs", (".h5", ".keras"))
numbers = np.linspace(-1, 1, 6, dtype="f4")[None]
export(two, "two_inputs_b1", [pictures(*ONE), numbers], labels(*ONE))

encoder = keras.Sequential([
    keras.Input((14, 14, 1)), layers.Flatten(name="flat"),
    layers.Dense(12, activation="relu", name="inner_fc")], name="encoder")
picture = keras.Input((14, 14, 1), name="picture")
scaled = layers.Rescaling(0.5, name="half")(picture)
nested = keras.Model(
    picture, layers.Dense(10, name="head")(layers.Dropout(0.1, name="drop")(encoder(scaled))),
    name="nested")
save(nested, "nested")
export(nested, "nested_b1", pictures(*ONE), labels(*ONE), training=False)

# --- Convolutions of every variant -----------------------------------------------------------------
convolutions = keras.Sequential([
    keras.Input((14, 14, 1)), layers.Conv2D(4, 3, activation="relu", name="plain"),
    layers.SeparableConv2D(6, 3, padding="same", name="separable"),
    layers.Conv2D(4, 3, groups=2, dilation_rate=2, padding="same", name="grouped"),
    layers.Conv2DTranspose(3, 3, strides=2, padding="same", name="transposed"),
    layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise"),
    layers.GlobalAveragePooling2D(name="pool"), layers.Dense(10, name="head")], name="convolutions")
save(convolutions, "convolutions")
export(convolutions, "convolutions_b1", pictures(*ONE), labels(*ONE))

# --- Tokens: an embedding in front of a recurrent layer --------------------------------------------
text = keras.Sequential([
    keras.Input((12,), dtype="int32"), layers.Embedding(40, 8, name="tokens"),
    layers.LSTM(6, name="lstm"), layers.Dense(5, name="out")], name="text")
save(text, "text", (".keras", ".weights.h5"))
sentence = np.array([[5, 17, 39, 3, 3, 22, 0, 0, 31, 8, 12, 27]], "i4")
export(text, "text_b1", sentence, np.array([2]))

# --- Code inside a model ---------------------------------------------------------------------------
# Compiled under a name of its own: the file stores the code with the path it came from.
double = eval(compile("lambda x: x * 2", "double", "eval"))
coded = perceptron("coded", hidden=4, front=[layers.Lambda(double, name="double")])
save(coded, "lambda", (".h5", ".keras"))

# --- Element types as the policies store them ------------------------------------------------------
for policy, endings in (("bfloat16", (".h5", ".keras", ".weights.h5")), ("float16", (".keras",))):
    keras.config.set_dtype_policy(policy)
    small = perceptron(policy, hidden=8)
    keras.config.set_dtype_policy("float32")
    save(small, f"policy_{policy}", endings)
