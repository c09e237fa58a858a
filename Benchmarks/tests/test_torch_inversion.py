"""The peer of numerical inversion and its files; skipped where PyTorch is not installed."""

from __future__ import annotations

import importlib.util
import math
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "peers"), str(HERE.parent)]

NEEDED = ("torch", "h5py", "skimage")
COMPLETE = all(importlib.util.find_spec(name) for name in NEEDED)
if COMPLETE:
    import h5py
    import numpy
    import torch

    import inversion_cases
    import inversion_peer
    import photographs
    import torch_inversion
    from inversion_cases import Recipe
    from torch_inversion import LocalTraining, Problem


def small() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 8), torch.nn.Sigmoid(),
                               torch.nn.Linear(8, 3)).double()


def batch(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(count)
    return (torch.randn(count, 3, 2, 2, generator=random, dtype=torch.float64),
            torch.arange(count) % 3)


@unittest.skipUnless(COMPLETE, f"needs {', '.join(NEEDED)}")
class Objective(unittest.TestCase):
    def test_variation_is_the_mean_over_columns_plus_the_mean_over_rows(self) -> None:
        x = torch.tensor([[[[0.0, 1.0, 3.0], [0.0, 0.0, 0.0]]]])
        self.assertAlmostEqual(float(torch_inversion.total_variation(x)), 3 / 4 + 4 / 3, places=6)

    def test_the_cosine_is_of_all_parameters_at_once(self) -> None:
        found = [torch.tensor([3.0]), torch.tensor([[0.0, 4.0]])]
        target = [torch.tensor([1.0]), torch.tensor([[0.0, 0.0]])]
        self.assertAlmostEqual(float(torch_inversion.cosine_distance(found, target)), 0.4)

    def test_steps_shrink_at_three_five_and_seven_eighths(self) -> None:
        rates = [torch_inversion.rate(0.1, index, 4800) for index in range(4800)]
        for index, expected in ((0, 0.1), (1799, 0.1), (1800, 0.01), (2999, 0.01), (3000, 1e-3),
                                (4199, 1e-3), (4200, 1e-4), (4799, 1e-4)):
            self.assertAlmostEqual(rates[index], expected, places=12)
        self.assertAlmostEqual(torch_inversion.rate(0.1, 3, 9), 0.01)  # ⌊9 · 3/8⌋ = 3.


@unittest.skipUnless(COMPLETE, f"needs {', '.join(NEEDED)}")
class Simulation(unittest.TestCase):
    def test_local_training_is_that_of_pytorchs_optimiser(self) -> None:
        inputs, labels = batch(5)
        local = LocalTraining(epochs=3, batch=2, rate=0.3)
        sent = torch_inversion.simulate(small(), inputs, labels, local, differentiable=False)
        model = small()
        before = [parameter.detach().clone() for parameter in model.parameters()]
        optimiser = torch.optim.SGD(model.parameters(), lr=0.3)
        for _ in range(3):
            for part in (slice(0, 2), slice(2, 4), slice(4, 5)):
                optimiser.zero_grad()
                torch.nn.functional.cross_entropy(model(inputs[part]), labels[part]).backward()
                optimiser.step()
        for found, after, start in zip(sent, model.parameters(), before):
            # One rounding of a weight of size 1 a step, nine steps.
            self.assertLess(float((found - (after.detach() - start)).abs().max()), 1e-14)
        self.assertEqual(local.steps(5), 9)

    def test_the_slope_goes_through_every_local_step(self) -> None:
        inputs, labels = batch(4)
        local = LocalTraining(epochs=2, batch=2, rate=0.5)
        target = torch_inversion.simulate(small(), *batch(4), None, differentiable=False)

        def objective(x: torch.Tensor) -> torch.Tensor:
            return torch_inversion.cosine_distance(
                torch_inversion.simulate(small(), x, labels, local), target)

        # Compares with finite differences in every entry, within 1e-5 relative.
        self.assertTrue(torch.autograd.gradcheck(objective, inputs.requires_grad_(), rtol=1e-5))


@unittest.skipUnless(COMPLETE, f"needs {', '.join(NEEDED)}")
class Attacks(unittest.TestCase):
    def problem(self) -> Problem:
        target = torch_inversion.simulate(small(), *batch(1), None, differentiable=False)
        edge = torch.full((1, 3, 1, 1), 3.0, dtype=torch.float64)
        return Problem(small(), target, None, -edge, edge)

    def test_the_curve_starts_at_the_start_and_ends_at_the_end(self) -> None:
        start, label = torch.full((1, 3, 2, 2), 2.95, dtype=torch.float64), torch.tensor([0])
        problem = self.problem()
        found = problem.signed_adam(start, label, 8, 0.1, 0.01)
        values = [(torch_inversion.cosine_distance(
            torch_inversion.simulate(small(), x, label, None), problem.target)
            + 0.01 * torch_inversion.total_variation(x)).detach() for x in (start, found.inputs)]
        self.assertEqual((len(found.curve), found.curve[0], found.curve[-1]),
                         (9, *map(float, values)))
        self.assertLessEqual(float(found.inputs.abs().max()), 3.0)

    def test_squared_distance_finds_inputs_and_label_of_a_smooth_network(self) -> None:
        random = torch.Generator().manual_seed(1)
        start, scores = (torch.randn(shape, generator=random, dtype=torch.float64)
                         for shape in ((1, 3, 2, 2), (1, 3)))
        found = self.problem().quasi_newton(start, None, scores, 300)
        self.assertLess(float((found.inputs - batch(1)[0]).abs().max()), 1e-4)

    def test_the_label_follows_from_the_bias(self) -> None:
        inputs, label = batch(1)[0], torch.tensor([2])
        target = torch_inversion.simulate(small(), inputs, label, None, differentiable=False)
        self.assertEqual(torch_inversion.inferred_label(small(), target).tolist(), [2])

    def test_an_end_that_is_no_number_is_never_the_best(self) -> None:
        self.assertEqual(torch_inversion.Found(torch.zeros(1), [1.0, math.nan]).objective, math.inf)


@unittest.skipUnless(COMPLETE, f"needs {', '.join(NEEDED)}")
class Files(unittest.TestCase):
    def test_the_photographs_are_distinct_and_means_of_squares(self) -> None:
        found = [photographs.reduced(index) for index in range(inversion_cases.PHOTOGRAPHS)]
        self.assertEqual(len({image.tobytes() for image in found}), 50)
        self.assertEqual({image.shape for image in found}, {(3, 32, 32)})
        self.assertTrue(all(image.min() >= 0 and image.max() <= 1 for image in found))

    def test_a_case_holds_what_its_truth_sends(self) -> None:
        for recipe in (Recipe("lenet-zhu", 3, precision="float64"),
                       Recipe("lenet-zhu", 1, 4, LocalTraining(2, 3, 0.01), "float64")):
            with self.subTest(recipe.name), tempfile.TemporaryDirectory() as folder:
                written = inversion_cases.write(pathlib.Path(folder), recipe)
                network, target, local = inversion_peer.read(written["case"], torch.float64)
                with h5py.File(written["truth"]) as file:
                    inputs = torch.from_numpy(file["truth/inputs"][()])
                    labels = torch.from_numpy(file["truth/labels"][()])
                with h5py.File(written["start"]) as file:
                    self.assertEqual(file["inputs"].shape, inputs.shape)
                self.assertEqual(labels.tolist(), written["labels"])
                self.assertEqual(local, recipe.local)
                sent = torch_inversion.simulate(network, inputs, labels, local, False)
                for found, stored in zip(sent, target, strict=True):
                    # Sums of some thousand terms, in whatever order a kernel takes them.
                    self.assertLess(float((found - stored).abs().max()),
                                    1e-12 * float(stored.abs().max()))

    def test_labels_repeat_as_seldom_as_they_can(self) -> None:
        labels = inversion_cases.samples(Recipe("lenet-zhu", 0, 32))[1]
        self.assertEqual(sorted(set(numpy.bincount(labels))), [3, 4])


if __name__ == "__main__":
    unittest.main()
