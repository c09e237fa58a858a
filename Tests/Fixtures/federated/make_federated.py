"""Writes federated.json: how far updates of small clients are from observed ones, in Double.

    python make_federated.py    # PyTorch 2.13.0

Autograd goes through the local steps themselves, with every graph kept. Parameters stand under the
names and in the axis order of PyTorch, row by row.
"""
import collections
import json
import pathlib

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional

SEED = 20240611
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


def convolutional(outputs):
    """A convolution of stride 2, batch normalisation with drawn statistics, and a dense layer."""
    torch.manual_seed(SEED)
    model = nn.Sequential(collections.OrderedDict(
        a=nn.Conv2d(2, 3, 3, padding=1, stride=2), b=nn.BatchNorm2d(3), c=nn.Sigmoid(),
        d=nn.Flatten(), e=nn.Linear(27, outputs)))
    nn.init.normal_(model.b.running_mean, std=0.3)
    nn.init.uniform_(model.b.running_var, 0.5, 1.5)
    nn.init.normal_(model.b.weight, 1, 0.2)
    nn.init.normal_(model.b.bias, std=0.2)
    return model.eval()


def loss(output, labels, smoothing):
    if output.shape[1] == 1:
        share = (1 - smoothing) * labels.to(output.dtype)[:, None] + smoothing / 2
        return functional.binary_cross_entropy_with_logits(output, share)
    return functional.cross_entropy(output, labels, label_smoothing=smoothing)


def update(model, x, case):
    """What a client that trains on `x` sends, as a function that autograd follows."""
    labels = torch.tensor(case["labels"])
    start = {name: value.detach().requires_grad_() for name, value in model.named_parameters()}
    parameters = dict(start)
    for first, last in case["batches"]:
        output = functional_call(model, parameters, (x[first:last],))
        gradients = torch.autograd.grad(
            loss(output, labels[first:last], case["smoothing"]), list(parameters.values()),
            create_graph=True)
        parameters = {name: value - case["rate"] * gradient
                      for (name, value), gradient in zip(parameters.items(), gradients)}
    return {name: parameters[name] - start[name] for name in start}


def distance(simulated, observed, kind):
    own, other = (torch.cat([value.ravel() for value in values]) for values in (simulated, observed))
    if kind == "squared":
        return (own - other).square().sum()
    return 1 - own @ other / (own.norm() * other.norm())


def total_variation(x):
    return (x[..., 1:] - x[..., :-1]).abs().mean() + (x[..., 1:, :] - x[..., :-1, :]).abs().mean()


def result(case):
    model = convolutional(case["outputs"])
    random = torch.Generator().manual_seed(SEED + 1)
    truth, x = torch.rand(2, len(case["labels"]), 2, 6, 6, generator=random)
    x.requires_grad_()
    observed = update(model, truth, case)
    simulated = update(model, x, case)
    names = case["compared"] or list(simulated)
    objective = distance([simulated[name] for name in names],
                         [observed[name].detach() for name in names], case["distance"])
    objective = objective + case["total_variation"] * total_variation(x)
    gradient, = torch.autograd.grad(objective, x)

    def listed(tensors):
        return {name: value.detach().ravel().tolist() for name, value in tensors.items()}

    return case | {
        "parameters": listed({name: value for name, value in model.state_dict().items()
                              if not name.endswith("num_batches_tracked")}),
        "x": x.detach().ravel().tolist(), "observed": listed(observed),
        "update": listed(simulated), "objective": objective.item(),
        "gradient": gradient.ravel().tolist()}


UNEVEN = [[0, 2], [2, 4], [4, 5]] * 2
CASES = {
    "cosine": dict(
        outputs=4, labels=[3, 0, 1, 1, 2], batches=UNEVEN, rate=0.3, smoothing=0.0,
        distance="cosine", total_variation=0.05, compared=[]),
    "squared, of two parameters": dict(
        outputs=4, labels=[3, 0, 1, 1, 2], batches=UNEVEN, rate=0.3, smoothing=0.1,
        distance="squared", total_variation=0.0, compared=["a.bias", "e.weight"]),
    "one output": dict(
        outputs=1, labels=[1, 0, 1], batches=[[0, 3]] * 12, rate=0.5, smoothing=0.1,
        distance="cosine", total_variation=0.0, compared=[]),
}

if __name__ == "__main__":
    path = pathlib.Path(__file__).with_name("federated.json")
    results = {name: result(case) for name, case in CASES.items()}
    path.write_text(json.dumps(results, indent=None, separators=(",", ":")) + "\n")
