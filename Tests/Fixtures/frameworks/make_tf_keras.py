"""Writes tf_keras/: the formats of Keras 2 by tf_keras."""
import os

os.environ.update(
    TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="", TF_ENABLE_ONEDNN_OPTS="0",
    TF_USE_LEGACY_KERAS="1")
import h5py
import tensorflow as tf
import tf_keras as keras

from fixtures import folder, labels, pictures, truth

keras.utils.set_random_seed(7)
path = folder("tf_keras")
layers = keras.layers
CROSS_ENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
x, y = pictures(5), labels(5)
truth(path("truth_b1.h5"), x, y)


def save(model, stem):
    model.save(path(f"{stem}.h5"))
    model.save(path(f"{stem}.keras"))
    model.save_weights(path(f"{stem}.weights.h5"))


# --- A convolution, a normalisation and a dense layer, in every format, after one step of Adam -----
cnn = keras.Sequential([
    keras.Input((14, 14, 1)), layers.Conv2D(4, 5, strides=2, activation="relu", name="conv"),
    layers.BatchNormalization(name="bn"), layers.Flatten(name="flat"),
    layers.Dense(10, name="fc")], name="cnn")
cnn.compile(keras.optimizers.Adam(1e-3), CROSS_ENTROPY)
cnn.train_on_batch(x, y)
save(cnn, "cnn_adam_step1")
cnn.save_weights(path("cnn_save_weights.h5"), save_format="h5")

# --- Both generations of optimisers: slots under different names -----------------------------------
for stem, optimizer in (
        ("mlp_adam_step1", keras.optimizers.Adam(1e-3)),
        ("mlp_sgd_momentum_step1", keras.optimizers.SGD(0.1, momentum=0.9)),
        ("mlp_legacy_adam_step1", keras.optimizers.legacy.Adam(1e-3)),
        ("mlp_legacy_sgd_momentum_step1", keras.optimizers.legacy.SGD(0.1, momentum=0.9))):
    mlp = keras.Sequential([
        keras.Input((14, 14, 1)), layers.Flatten(name="flat"),
        layers.Dense(12, activation="relu", name="fc1"), layers.Dense(10, name="fc2")], name="mlp")
    mlp.compile(optimizer, CROSS_ENTROPY)
    mlp.train_on_batch(x, y)
    if stem == "mlp_adam_step1":
        save(mlp, stem)
    else:
        mlp.save(path(f"{stem}.h5"))  # The other formats leave the state of old optimisers out.

# --- Twelve hidden layers of one shape: 10 comes after 9; variable names end in :0 -----------------
deep = keras.Sequential(
    [keras.Input((14, 14, 1)), layers.Flatten(name="flat")]
    + [layers.Dense(8, activation="tanh", name=f"d{i}") for i in range(12)]
    + [layers.Dense(10, name="out")], name="deep")
deep.save_weights(path("deep.weights.h5"))
with tf.GradientTape() as tape:
    value = CROSS_ENTROPY(y, deep(x, training=True))
parts = tape.gradient(value, deep.trainable_variables)
with h5py.File(path("gradient_deep_b1.h5"), "w") as file:
    file.attrs.update(
        framework="keras", keras_version=keras.__version__, model_config=deep.to_json(),
        batch_size=1)
    for variable, part in zip(deep.trainable_variables, parts):
        file["gradients/" + variable.name] = part.numpy()
