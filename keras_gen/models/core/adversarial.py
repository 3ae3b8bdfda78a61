"""The base of every system of players: one step that plays them all."""

import keras
import tensorflow as tf

from . import ema
from .finite_check import check_finite
from .generative_model import GenerativeModel
from .global_batch import BatchNoise, GlobalBatch
from .player import Optimizers, Player, optimizers_for


class AdversarialModel(GenerativeModel):
    """A generative model that several players train, each with its own loss and optimizer.

    A subclass writes `players`, and may write `shared_forward`: the tensors that several players use, such as the generated
    images. They are computed once; each player's gradient is taken at them and, where the player moves what made
    them, carried on through the one pass that made them.

    Args:
        ema: decay of the moving average of the networks named in `averaged`, in (0, 1); None or False for none.
            `generate` and everything exported use the ema.
        seed: as in `GenerativeModel`.

    Attributes:
        averaged: names of the attributes that hold networks to average.
        shared_networks: names of the attributes that hold the networks that `shared_forward` runs.
    """

    averaged: tuple[str, ...] = ()
    shared_networks: tuple[str, ...] = ()
    monitor = None

    def __init__(self, *, ema: float | None = None, **kwargs):
        super().__init__(**kwargs)
        if ema and not 0 < ema < 1:
            raise ValueError(f"ema must be a decay in (0, 1), or None; received {ema!r}")
        self.ema = ema or None
        self.ema_networks = {}

    # what a system writes

    def players(self) -> list[Player]:
        """The players, in the order in which they move."""
        raise NotImplementedError

    def shared_forward(self, batch: dict, batch_noise: BatchNoise, training: bool) -> dict[str, tf.Tensor]:
        """What several players use of a batch: name -> tensor [rows, ...]."""
        return {}

    def diagnose(self, logs: dict[str, float]) -> dict[str, str]:
        """What an epoch's metrics tell of a game that goes wrong: a name -> what it is and what may help."""
        return {}

    # averages

    def average(self) -> None:
        """Start the averages of the networks in `averaged`; called at the end of a subclass's `__init__`."""
        if self.ema:
            self.ema_networks = {name: ema.clone_for_ema(getattr(self, name)) for name in self.averaged}

    def inference_network(self, name: str) -> keras.Model:
        """The network of a name as it is used outside training: its average where there is one."""
        return self.ema_networks.get(name, getattr(self, name))

    # compile

    def compile(self, optimizer="adam", *, jit_compile: bool = False, **kwargs):
        """As `GenerativeModel.compile`, with one optimizer for each player.

        Args:
            optimizer: an optimizer or its name, of which every player gets a copy; or a dict {player: optimizer}.
            jit_compile: XLA, see `GenerativeModel.compile`.
        """
        self._players = self.players()
        names = [player.name for player in self._players]
        shared = optimizers_for(names, optimizer, self.dtype_policy.name)
        super().compile(optimizer=None, jit_compile=jit_compile, **kwargs)
        self.optimizers = shared
        for player in self._players:
            shared[player.name].build(player.optimized)
        self.optimizer = Optimizers(shared)

    def get_compile_config(self) -> dict | None:
        if not self.compiled:
            return None
        optimizers = {name: keras.saving.serialize_keras_object(each) for name, each in self.optimizers.items()}
        return {**super().get_compile_config(), "optimizer": optimizers}

    # fit, evaluate

    def train_step(self, data) -> dict:
        batch = self.batch_of(data)
        whole = GlobalBatch(self.rows_of(batch))
        parts = self._split_batch(batch, whole)
        logs = {}
        for player in self._players:
            for part in parts[-player.updates :]:
                logs |= self._update_player(player, part)
        self.after_step(whole)
        self.train_steps.assign_add(1)
        return self._track(logs, parts[-1].global_batch)

    def after_step(self, global_batch: GlobalBatch) -> None:
        """What follows once all players have moved: the ema."""
        for name, twin in self.ema_networks.items():
            ema.update_ema(twin, getattr(self, name), tf.convert_to_tensor(self.train_steps), self.ema)

    def test_step(self, data) -> dict:
        batch, global_batch, batch_noise = self._evaluated(data)
        shared, logs = self.shared_forward(batch, batch_noise, training=False), {}
        for player in self._players:
            rows, more = player.loss(batch, shared, batch_noise, global_batch, False)
            logs |= {f"{player.name}_loss": rows, **more}
        return self._track(logs, global_batch)

    def _split_batch(self, batch: dict, whole: GlobalBatch) -> list["_SubBatch"]:
        """The batch in as many parts as the most active player has updates.

        Example i of the global batch goes to part i mod n: which examples meet does not depend on the replicas.
        """
        count = max(player.updates for player in self._players)
        parts = []
        for index in range(count):
            if count == 1:
                rows, global_batch = batch, whole
            else:
                start = (index - whole.first) % count
                rows = {name: value[start::count] for name, value in batch.items()}
                global_batch = GlobalBatch(self.rows_of(rows))
            parts.append(_SubBatch(self, global_batch.pad_if_empty(rows), global_batch))
        return parts

    def _update_player(self, player: Player, part: "_SubBatch") -> dict:
        """One update of one player on one part; what it reports."""
        optimizer, variables = self.optimizers[player.name], player.variables
        shared = part.shared
        carried = part.depends_on_shared(variables)
        with tf.GradientTape() as tape:
            if carried:  # else nobody asks for the gradient at what was made
                tape.watch(shared)
            rows, logs = player.loss(part.batch, shared, part.batch_noise, part.global_batch, True)
            rows = self._per_example(f"{player.name}_loss", rows)
            tf.debugging.assert_equal(
                tf.size(rows), self.rows_of(part.batch), f"{player.name}: one loss is due for each image"
            )
            loss = part.global_batch.scale_loss(rows)
            penalties = [term for network in player.networks for term in network.losses]
            if penalties:
                loss += tf.add_n(penalties) / part.global_batch.replicas
            loss = optimizer.scale_loss(loss)
        gradients, grad_wrt_shared = tape.gradient(loss, [variables, shared if carried else {}])
        through = part.carried(grad_wrt_shared, variables)
        gradients = [a if b is None else b if a is None else a + b for a, b in zip(gradients, through, strict=True)]
        scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        gradients = check_finite(player.name, tf.reduce_sum(rows), gradients, loss_alone=scaled)
        optimizer.apply(gradients, variables)
        return {f"{player.name}_loss": rows, **logs}


class _SubBatch:
    """A part of a step's batch, and what is made of it, once."""

    def __init__(self, model: AdversarialModel, batch: dict, global_batch: GlobalBatch):
        self.batch, self.global_batch = batch, global_batch
        self.batch_noise = BatchNoise(model._next_seed(), global_batch)
        self.tape = tf.GradientTape(persistent=True)
        with self.tape:
            self.shared = model.shared_forward(batch, self.batch_noise, training=True)
        self.shared_networks = {
            id(v) for name in model.shared_networks for v in getattr(model, name).trainable_variables
        }

    def depends_on_shared(self, variables: list) -> list:
        """Those of the variables that make what is made."""
        return [variable for variable in variables if id(variable) in self.shared_networks]

    def carried(self, grad_wrt_shared: dict, variables: list) -> list:
        """Gradients at what was made -> gradients at variables, None for those that did not make it."""
        names = [name for name, gradient in grad_wrt_shared.items() if gradient is not None]
        moved = self.depends_on_shared(variables)
        if not names or not moved:
            return [None] * len(variables)
        found = self.tape.gradient(
            [self.shared[name] for name in names], moved, output_gradients=[grad_wrt_shared[name] for name in names]
        )
        by_id = {id(variable): gradient for variable, gradient in zip(moved, found, strict=True)}
        return [by_id.get(id(variable)) for variable in variables]
