"""The base of every adversarial model: one training step that updates all of its players."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from .finite_check import check_finite
from .generative_model import GenerativeModel
from .global_batch import BatchNoise, GlobalBatch
from .player import Optimizers, Player, optimizers_for


class AdversarialModel(GenerativeModel):
    """A generative model that several players train, each with its own loss and optimizer.

    A subclass writes `players`, and may write `shared_forward`: the tensors that several players use, such as the
    generated images. They are computed once. Each player's gradient is taken with respect to them and, if the player
    owns a network that computed them, backpropagated through that one forward pass.

    Args:
        **kwargs: As for `GenerativeModel`.

    Attributes:
        shared_networks: Names of the attributes that hold the networks that `shared_forward` runs.
    """

    shared_networks: tuple[str, ...] = ()
    monitor = None

    # what a system declares

    def players(self) -> list[Player]:
        """Returns the players, in the order of their updates."""
        raise NotImplementedError

    def shared_forward(self, batch: dict[str, tf.Tensor], batch_noise: BatchNoise, training: bool) -> dict[str, Any]:
        """Returns the tensors that several players use, {name: [rows, ...]}.

        Args:
            batch: {field: tensor with this replica's rows}.
            batch_noise: The only source of noise.
            training: Whether the networks run in training mode.
        """
        return {}

    def diagnose(self, logs: Mapping[str, float]) -> dict[str, str]:
        """Returns the problems of a training that an epoch's metrics show, {problem: description and remedies}.

        Args:
            logs: {metric: value}.
        """
        return {}

    # compile

    def compile(self, optimizer: Any = "adam", *, jit_compile: bool = False, **kwargs: Any) -> None:
        """Configures training as `GenerativeModel.compile` does, with one optimizer for each player.

        Args:
            optimizer: An optimizer or its name, of which every player gets a copy; or a dict {player: optimizer}.
            jit_compile: Whether XLA compiles the steps, see `GenerativeModel.compile`.
            **kwargs: As for `GenerativeModel.compile`.
        """
        self._players = self.players()
        names = [player.name for player in self._players]
        optimizers = optimizers_for(names, optimizer, self.dtype_policy.name)
        super().compile(optimizer=None, jit_compile=jit_compile, **kwargs)
        self.optimizers = optimizers
        for player in self._players:
            optimizers[player.name].build(player.optimizer_variables)
        self.optimizer = Optimizers(optimizers)

    def get_compile_config(self) -> dict[str, Any] | None:
        """Returns the optimizers and the options of `compile`."""
        if (config := super().get_compile_config()) is None:
            return None
        optimizers = {name: keras.saving.serialize_keras_object(each) for name, each in self.optimizers.items()}
        return {**config, "optimizer": optimizers}

    # steps

    def train_step(self, data: Any) -> dict[str, Any]:
        """Updates all players on one batch, in order, and returns the metrics."""
        batch = self.batch_of(data)
        global_batch = GlobalBatch(self.rows_of(batch))
        sub_batches = self._split_batch(batch, global_batch)
        logs = {}
        for player in self._players:
            for sub_batch in sub_batches[-player.updates :]:
                logs |= self._update_player(player, sub_batch)
        self.after_step(global_batch)
        self.train_steps.assign_add(1)
        return self._track(logs, sub_batches[-1].global_batch)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Evaluates all players' losses on one batch and returns the metrics."""
        batch, global_batch, batch_noise = self._evaluation_batch(data)
        shared, logs = self.shared_forward(batch, batch_noise, training=False), {}
        for player in self._players:
            losses, metrics = player.loss(batch, shared, batch_noise, global_batch, False)
            logs |= {f"{player.name}_loss": losses, **metrics}
        return self._track(logs, global_batch)

    def _split_batch(self, batch: dict[str, tf.Tensor], global_batch: GlobalBatch) -> list["_SubBatch"]:
        """Splits a batch into as many sub-batches as the player with the most updates has.

        Example i of the global batch goes to sub-batch i mod n, so the split does not depend on the replicas.
        """
        count = max(player.updates for player in self._players)
        if count == 1:
            return [_SubBatch(self, global_batch.pad_if_empty(batch), global_batch)]
        sub_batches = []
        for index in range(count):
            start = (index - global_batch.first) % count
            rows = {name: value[start::count] for name, value in batch.items()}
            sub_global_batch = GlobalBatch(self.rows_of(rows))
            sub_batches.append(_SubBatch(self, sub_global_batch.pad_if_empty(rows), sub_global_batch))
        return sub_batches

    def _update_player(self, player: Player, sub_batch: "_SubBatch") -> dict[str, tf.Tensor]:
        """Updates one player once on one sub-batch, and returns its loss and metrics."""
        optimizer, variables = self.optimizers[player.name], player.variables
        shared = sub_batch.shared
        depends = bool(sub_batch.depends_on_shared(variables))
        with tf.GradientTape() as tape:
            if depends:  # otherwise no gradient with respect to the shared tensors is needed
                tape.watch(shared)
            losses, metrics = player.loss(sub_batch.batch, shared, sub_batch.batch_noise, sub_batch.global_batch, True)
            losses = self._per_example(f"{player.name}_loss", losses, sub_batch.batch)
            loss = sub_batch.global_batch.scale_loss(losses)
            penalties = [term for network in player.networks for term in network.losses]
            if penalties:
                loss += tf.add_n(penalties) / sub_batch.global_batch.replicas
            loss = optimizer.scale_loss(loss)
        direct, grad_wrt_shared = tape.gradient(loss, [variables, shared if depends else {}])
        through_shared = sub_batch.backprop_shared(grad_wrt_shared, variables)
        gradients = [a if b is None else b if a is None else a + b for a, b in zip(direct, through_shared, strict=True)]
        scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        gradients = check_finite(player.name, tf.reduce_sum(losses), gradients, loss_only=scaled)
        optimizer.apply(gradients, variables)
        return {f"{player.name}_loss": losses, **metrics}


class _SubBatch:
    """A part of a step's batch and the tensors that its players share, computed once."""

    def __init__(self, model: AdversarialModel, batch: dict[str, tf.Tensor], global_batch: GlobalBatch):
        self.batch, self.global_batch = batch, global_batch
        self.batch_noise = BatchNoise(model._next_seed(), global_batch)
        self.tape = tf.GradientTape(persistent=True)
        with self.tape:
            self.shared = model.shared_forward(batch, self.batch_noise, training=True)
        networks = [getattr(model, name) for name in model.shared_networks]
        self.shared_variables = {id(variable) for network in networks for variable in network.trainable_variables}

    def depends_on_shared(self, variables: Sequence[Any]) -> list[Any]:
        """Returns those of the variables that the shared tensors depend on."""
        return [variable for variable in variables if id(variable) in self.shared_variables]

    def backprop_shared(self, grad_wrt_shared: dict[str, Any], variables: Sequence[Any]) -> list[tf.Tensor | None]:
        """Backpropagates gradients with respect to the shared tensors through the forward pass that computed them.

        Args:
            grad_wrt_shared: {name: gradient, or None if the loss does not depend on the tensor}.
            variables: The variables of a player.

        Returns:
            Gradients with respect to the variables; None for those that the shared tensors do not depend on.
        """
        names = [name for name, gradient in grad_wrt_shared.items() if gradient is not None]
        sources = self.depends_on_shared(variables)
        if not names or not sources:
            return [None] * len(variables)
        gradients = self.tape.gradient(
            [self.shared[name] for name in names], sources, output_gradients=[grad_wrt_shared[name] for name in names]
        )
        by_id = {id(variable): gradient for variable, gradient in zip(sources, gradients, strict=True)}
        return [by_id.get(id(variable)) for variable in variables]
