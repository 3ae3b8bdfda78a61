"""The players of adversarial training, and their optimizers."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Player:
    """One player of adversarial training: its networks, its loss and its number of updates in a step.

    A network may belong to several players; each of them has its own optimizer for it.

    Attributes:
        name: The player's name in logs, in `compile(optimizer={name: ...})` and in errors.
        networks: The layers or models whose trainable variables it updates.
        loss: (batch, shared, batch_noise, global_batch, training) -> (one loss per example [rows], {metric: [rows]});
            `shared` is the result of `AdversarialModel.shared_forward` for this batch.
        updates: Updates in a step, >= 1. The step's batch is split among the updates of the player that has most of
            them, so each update uses new examples; a player with fewer updates uses the last parts.
        all_networks: All networks that it updates at any time of the training, if `networks` is a part of them: its
            optimizer is built for these.
    """

    name: str
    networks: tuple[keras.Layer, ...]
    loss: Callable[..., tuple[tf.Tensor, dict[str, tf.Tensor]]]
    updates: int = 1
    all_networks: tuple[keras.Layer, ...] = ()

    def __post_init__(self):
        if not isinstance(self.updates, int) or self.updates < 1:
            raise ValueError(
                f"Expected updates of the player {self.name!r} as an integer >= 1; received {self.updates!r}"
            )

    @property
    def variables(self) -> list[keras.Variable]:
        """The trainable variables of its networks, each once."""
        return _unique_variables(self.networks)

    @property
    def optimizer_variables(self) -> list[keras.Variable]:
        """The variables that its optimizer is built for; the same, in the same order, throughout the training."""
        return _unique_variables(self.all_networks or self.networks)


def _unique_variables(networks: Iterable[keras.Layer]) -> list[keras.Variable]:
    return list({id(v): v for network in networks for v in network.trainable_variables}.values())


class Optimizers:
    """All players' optimizers, with the interface of the single optimizer that Keras's callbacks expect of a model.

    Setting `learning_rate` sets every player's; reading it returns the first player's.

    Args:
        by_player: {player: optimizer}.
    """

    built = True

    def __init__(self, by_player: dict[str, keras.optimizers.Optimizer]):
        self.by_player = by_player

    @property
    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        """One optimizer for each player, in order."""
        return list(self.by_player.values())

    @property
    def variables(self) -> list[keras.Variable]:
        """The variables of all optimizers, in order."""
        return [variable for optimizer in self.optimizers for variable in optimizer.variables]

    @property
    def iterations(self) -> keras.Variable:
        """The first player's counter of updates."""
        return self.optimizers[0].iterations

    @property
    def learning_rate(self) -> Any:
        """The first player's learning rate."""
        return self.optimizers[0].learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        for optimizer in self.optimizers:
            optimizer.learning_rate = value

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_player)


def optimizers_for(names: Iterable[str], optimizer: Any, policy: str) -> dict[str, keras.optimizers.Optimizer]:
    """Returns one optimizer for each player.

    Args:
        names: Names of the players.
        optimizer: One optimizer or its name, of which every player gets a copy with its own state; or a dict with one
            for every player, or another model's `Optimizers`.
        policy: Name of the dtype policy; under float16 each optimizer is wrapped in a LossScaleOptimizer.

    Raises:
        ValueError: For a dict whose keys are not the players, or players that share an optimizer.
    """
    names, requested = list(names), optimizer.by_player if isinstance(optimizer, Optimizers) else optimizer
    if isinstance(requested, dict):
        if set(requested) != set(names):
            raise ValueError(
                f"Expected one optimizer for each of the players {', '.join(names)}; received {', '.join(requested)}"
            )
        optimizers = {name: keras.optimizers.get(requested[name]) for name in names}
        if len({id(each) for each in optimizers.values()}) < len(names):
            raise ValueError(
                "Expected an optimizer object for each player, which holds the state of its variables; received one "
                "that two players share: create a second one"
            )
    else:
        template = keras.optimizers.get(requested)
        optimizers = {name: type(template).from_config({**template.get_config(), "name": name}) for name in names}
    if policy == "mixed_float16":
        scaled = keras.optimizers.LossScaleOptimizer
        optimizers = {name: each if isinstance(each, scaled) else scaled(each) for name, each in optimizers.items()}
    return optimizers


def inner_optimizer(optimizer: Any) -> Any:
    """Returns the optimizer inside a LossScaleOptimizer, or any other optimizer as it is."""
    return optimizer.inner_optimizer if isinstance(optimizer, keras.optimizers.LossScaleOptimizer) else optimizer


def reset_optimizer(optimizer: keras.optimizers.Optimizer) -> None:
    """Resets an optimizer to its initial state, except for its learning rate and its loss scale.

    The initial state is read from a new optimizer of the same configuration, since not all initial values are zero
    (Adagrad's and Ftrl's accumulators, Nadam's product of momenta).

    Args:
        optimizer: An optimizer that has been built.
    """
    inner = inner_optimizer(optimizer)
    initial = type(inner).from_config(inner.get_config())
    initial.build(inner._trainable_variables)
    learning_rate = getattr(inner, "_learning_rate", None)
    for variable, initial_value in zip(inner.variables, initial.variables, strict=True):
        if variable is not learning_rate:
            variable.assign(tf.convert_to_tensor(initial_value))
