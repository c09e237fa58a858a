"""Writes flower/: the arrays of a Flower client before and after local training."""
import h5py
import numpy as np
import torch
from flwr.common import ndarrays_to_parameters, parameters_to_ndarrays
from torch import nn
from torch.nn import functional

from fixtures import folder, labels, pictures, truth

torch.manual_seed(7)
torch.set_num_threads(1)
path = folder("flower")


def arrays(model):
    """The nameless list that a client returns, through Flower's own serialisation."""
    values = [value.numpy().copy() for value in model.state_dict().values()]
    return parameters_to_ndarrays(ndarrays_to_parameters(values))


def write(name, group, values, **facts):
    with h5py.File(path(name), "w") as file:
        target = file.create_group(group)
        target.attrs.update(facts)
        for index, value in enumerate(values):
            target[f"arr_{index}"] = value


for stem, numbers, rounds in (("b1", (5,), 1), ("b4", (5, 8, 12, 2), 1), ("local", (5, 8), 3)):
    x, y = pictures(*numbers).transpose(0, 3, 1, 2).copy(), labels(*numbers)
    model = nn.Sequential(nn.Flatten(), nn.Linear(196, 12), nn.ReLU(), nn.Linear(12, 10))
    before = arrays(model)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(rounds):
        optimizer.zero_grad()
        functional.cross_entropy(model(torch.tensor(x)), torch.tensor(y)).backward()
        optimizer.step()
    write(f"{stem}_before.h5", "round_1/server", before)
    write(f"{stem}_after.h5", "round_1/client_0", arrays(model), num_examples=len(x))
    truth(path(f"truth_{stem}.h5"), x, y)

# Two clients in one file and nothing to subtract from.
with h5py.File(path("two_clients.h5"), "w") as file:
    for client in (0, 1):
        model = nn.Sequential(nn.Flatten(), nn.Linear(49, 4), nn.ReLU(), nn.Linear(4, 3))
        for index, value in enumerate(arrays(model)):
            file[f"round_1/client_{client}/arr_{index}"] = np.asarray(value)
