"""Problems of adversarial training that show in an epoch's metrics."""

from collections.abc import Mapping

# over an epoch: a discriminator with a larger accuracy leaves the generator nothing to learn from
WINNING_ACCURACY = 0.98
# over an epoch: samples with a smaller diversity, relative to real images, are almost all alike
COLLAPSED_DIVERSITY = 0.25
REMEDIES = "A smaller learning rate for it, a penalty ('r1'), label smoothing or a larger generator"


def diagnose_discriminator(
    logs: Mapping[str, float], *, critic: bool = False, remedies: str = REMEDIES
) -> dict[str, str]:
    """Returns the problems of a generator and a discriminator, {problem: description and remedies}.

    Args:
        logs: {metric: mean over an epoch}; `discriminator_accuracy` and `sample_diversity` are read, each if present.
        critic: Whether the discriminator is a Wasserstein critic, which is trained to its optimum: a high accuracy is
            then no problem.
        remedies: What may help against a discriminator that wins: a noun phrase that begins a sentence.

    Example:
        >>> list(diagnose_discriminator({"discriminator_accuracy": 0.99, "sample_diversity": 0.9}))
        ['the discriminator wins']
    """
    accuracy, diversity = logs.get("discriminator_accuracy", 0.5), logs.get("sample_diversity", 1.0)
    problems = {}
    if accuracy > WINNING_ACCURACY and not critic:
        problems["the discriminator wins"] = (
            f"it is right on {accuracy:.1%} of the images and leaves the generator little to learn from. "
            f"{remedies} may help"
        )
    if diversity < COLLAPSED_DIVERSITY:
        problems["the generator collapses"] = (
            f"its images vary {diversity:.2f} times as much as real ones. Packing (packing=2), a penalty ('r1', "
            "'wasserstein' with 'wgan_gp') or a smaller learning rate may help"
        )
    return problems
