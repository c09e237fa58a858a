"""Writes flax/: parameters, gradients and optimiser state of JAX, Flax and Optax."""
import os

os.environ["JAX_PLATFORMS"] = "cpu"
import flax.linen as nn
import h5py
import jax
import numpy as np
import optax

from fixtures import folder, labels, pictures, truth, write_tree

path = folder("flax")


class Perceptron(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Dense(12)(x.reshape((len(x), -1))))
        return nn.Dense(10)(x)


class InsideOut(nn.Module):
    """`Dense_0` is the last layer: Flax numbers layers in the order of their construction."""

    @nn.compact
    def __call__(self, x):
        return nn.Dense(10)(nn.relu(nn.Dense(12)(x.reshape((len(x), -1)))))


def loss(model, parameters, x, y):
    logits = model.apply({"params": parameters}, x)
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()


def gradient(model, parameters, x, y):
    return jax.grad(lambda tree: loss(model, tree, x, y))(parameters)


for name, numbers in (("b1", (5,)), ("b4", (5, 8, 12, 2))):
    truth(path(f"truth_{name}.h5"), pictures(*numbers), labels(*numbers))
x, y = pictures(5), labels(5)
for stem, model in (("mlp", Perceptron()), ("inside_out", InsideOut())):
    parameters = model.init(jax.random.PRNGKey(7), x)["params"]
    with h5py.File(path(f"{stem}_params.h5"), "w") as file:
        write_tree(file.create_group("params"), parameters)
    with h5py.File(path(f"{stem}_gradient_b1.h5"), "w") as file:
        write_tree(file.create_group("params"), gradient(model, parameters, x, y))
        file.attrs["batch_size"] = 1
    if stem == "inside_out":
        continue
    four = gradient(model, parameters, pictures(5, 8, 12, 2), labels(5, 8, 12, 2))
    with h5py.File(path(f"{stem}_both_b4.h5"), "w") as file:
        write_tree(file.create_group("params"), parameters)
        write_tree(file.create_group("grads"), four)
        file.attrs.update(framework="flax", batch_size=4)
    optimizer = optax.adam(1e-3)
    update, state = optimizer.update(
        gradient(model, parameters, x, y), optimizer.init(parameters), parameters)
    moments = state[0]
    with h5py.File(path(f"{stem}_adam_step1.h5"), "w") as file:
        write_tree(file.create_group("params"), optax.apply_updates(parameters, update))
        write_tree(file.create_group("opt_state"), {"0": {
            "count": np.asarray(moments.count), "mu": moments.mu, "nu": moments.nu}})
        file["step"] = 1
