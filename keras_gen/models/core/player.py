"""Players of an adversarial game, and their optimizers seen as one."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator

import keras
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Player:
    """One player: what it moves, what it minimizes, and how often in a step.

    A network may belong to several players; each has its own optimizer for it.

    Attributes:
        name: its name in logs, in `compile(optimizer={name: ...})` and in errors.
        networks: what it moves: layers or models.
        loss: (batch, shared, batch_noise, global_batch, training) -> (one loss per example [rows], {metric: [rows]}).
            `shared` is what `AdversarialModel.shared_forward` gave for this batch.
        updates: updates in a step, >= 1. A step's batch is dealt out to the most active player's updates, fresh
            examples for each; a player with fewer updates takes the last parts.
        whole: all that it will ever move, where `networks` is a part of it: what its optimizer is built for.
    """

    name: str
    networks: tuple
    loss: Callable
    updates: int = 1
    whole: tuple = ()

    def __post_init__(self):
        if not isinstance(self.updates, int) or self.updates < 1:
            raise ValueError(f"Player {self.name!r}: updates must be an integer >= 1; received {self.updates!r}")

    @property
    def variables(self) -> list:
        """What it moves: the trainable variables of its networks, each once."""
        return _each_once(self.networks)

    @property
    def optimized(self) -> list:
        """What its optimizer is built for; the same, and in the same order, at any time of the training."""
        return _each_once(self.whole or self.networks)


def _each_once(networks: Iterable) -> list:
    return list({id(v): v for network in networks for v in network.trainable_variables}.values())


class Optimizers:
    """All players' optimizers as the one that Keras's callbacks ask a model for.

    Setting `learning_rate` sets every player's; reading it gives the first player's.
    """

    built = True

    def __init__(self, by_player: dict[str, keras.optimizers.Optimizer]):
        self.by_player = by_player

    @property
    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        """One for each player, in order."""
        return list(self.by_player.values())

    @property
    def variables(self) -> list:
        """The variables of all of them, in order."""
        return [variable for optimizer in self.optimizers for variable in optimizer.variables]

    @property
    def iterations(self):
        """The first player's counter of updates."""
        return self.optimizers[0].iterations

    @property
    def learning_rate(self):
        """The first player's."""
        return self.optimizers[0].learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        for optimizer in self.optimizers:
            optimizer.learning_rate = value

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_player)


def optimizers_for(names: Iterable[str], given, policy: str) -> dict[str, keras.optimizers.Optimizer]:
    """One optimizer for each player.

    Args:
        names: the players.
        given: one optimizer or its name, of which every player gets a copy with its own state; or a dict with one
            for every player, or another model's `Optimizers`.
        policy: the dtype policy's name; under float16 each is wrapped in a LossScaleOptimizer.

    Raises:
        ValueError: for a dict that leaves out a player or names one that does not play.
    """
    names, given = list(names), given.by_player if isinstance(given, Optimizers) else given
    if isinstance(given, dict):
        if set(given) != set(names):
            raise ValueError(
                f"Expected one optimizer for each of the players {', '.join(names)}; received {', '.join(given)}"
            )
        shared = {name: keras.optimizers.get(given[name]) for name in names}
        if len({id(optimizer) for optimizer in shared.values()}) < len(names):
            raise ValueError("Two players share one optimizer object; each needs its own (its slots are its state)")
    else:
        pattern = keras.optimizers.get(given)
        shared = {name: type(pattern).from_config({**pattern.get_config(), "name": name}) for name in names}
    if policy == "mixed_float16":
        wrapped = keras.optimizers.LossScaleOptimizer
        shared = {name: o if isinstance(o, wrapped) else wrapped(o) for name, o in shared.items()}
    return shared


def reset_optimizer(optimizer: keras.optimizers.Optimizer) -> None:
    """Return an optimizer to its initial state, but for its learning rate (and, of a scaled one, its scale).

    The values are those of a new optimizer of the same configuration: not all begin at zero (Adagrad's and Ftrl's
    accumulators, Nadam's product of momenta).

    Args:
        optimizer: a built one.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    new = type(inner).from_config(inner.get_config())
    new.build(inner._trainable_variables)
    kept = getattr(inner, "_learning_rate", None)
    for variable, initial in zip(inner.variables, new.variables, strict=True):
        if variable is not kept:
            variable.assign(tf.convert_to_tensor(initial))
