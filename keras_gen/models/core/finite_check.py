"""The check that a player's loss and gradients are finite, before they change its weights."""

from collections.abc import Sequence

import tensorflow as tf

from .graph_checks import error_for, require


@error_for("player")
class PlayerError(FloatingPointError):
    """The loss or a gradient of a player is NaN or infinite; its weights are those before the step.

    Attributes:
        player: The player's name.
    """

    def __init__(self, player: str):
        super().__init__(
            f"Expected a finite loss and finite gradients of the player {player!r}; received NaN or infinity. Try a "
            "smaller learning rate, float32 instead of mixed precision, or another loss or penalty"
        )
        self.player = player


def check_finite(
    player: str, loss: tf.Tensor, gradients: Sequence[tf.Tensor | None], *, loss_only: bool = False
) -> list[tf.Tensor | None]:
    """Returns a player's gradients after a check that its loss and all of them are finite.

    Args:
        player: The player's name.
        loss: Scalar.
        gradients: Tensors of any shapes; None for a variable that the loss does not depend on.
        loss_only: Leave the gradients unchecked: under loss scaling the optimizer handles infinite ones.

    Raises:
        PlayerError: From `fit`, before the optimizer has changed a weight.
    """
    # a sum is finite if and only if no term is NaN or infinite (short of overflow), and takes one pass
    checked = [] if loss_only else [gradient for gradient in gradients if gradient is not None]
    total = tf.add_n([loss, *(tf.cast(tf.reduce_sum(gradient), loss.dtype) for gradient in checked)])
    with tf.control_dependencies(require(tf.math.is_finite(total), "player", player)):
        return [None if gradient is None else tf.identity(gradient) for gradient in gradients]
