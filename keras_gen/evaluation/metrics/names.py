"""Names of scores: they state everything that a number depends on, so that different metrics are not compared."""

import re

NAME = re.compile(r"(?P<metric>.+)_(?P<count>[0-9]+k?)(_(?P<split>test|validation|train))?(_floor)?")


def score_name(metric: str, features: str, count: int, split: str | None = None) -> str:
    """Returns a name of metric, features, number of samples and split of the real images: `fd_classifier_10k_test`.

    Args:
        metric: `fd`, `kid`, `precision`, ...
        features: the features from which it is computed: `pixels`, `classifier`, `inception`, ...
        count: samples in each set; whole thousands from 10,000 on are abbreviated by k.
        split: the split of the real images; None for a metric without real images.

    Example:
        >>> score_name("kid", "pixels", 1000, "test")
        'kid_pixels_1000_test'
    """
    amount = f"{count // 1000}k" if count >= 10_000 and count % 1000 == 0 else str(count)
    return "_".join([metric, features, amount, *([split] if split else [])])


def check_comparable(
    first: str, second: str, first_about: dict | None = None, second_about: dict | None = None
) -> None:
    """Raises an error for scores of different metrics.

    Args:
        first: a name from `score_name`.
        second: another one.
        first_about: the notes of the first score. `features` in both notes must agree too, since different classifiers
            share a name.
        second_about: the notes of the second score.

    Raises:
        ValueError: for different names or features. A published FID compares with `fid_clean_...` alone.

    Example:
        >>> check_comparable("kid_pixels_1000_test", "kid_pixels_1000_test")
    """
    if first != second:
        parsed = [NAME.fullmatch(name) for name in (first, second)]
        if invalid := [name for name, match in zip((first, second), parsed, strict=True) if match is None]:
            reason = f"{invalid[0]!r} does not state what it depends on, as fid_clean_50k_train does"
        else:
            one, other = (match.groupdict() for match in parsed if match)
            differences = [f"{part} {one[part]} and {other[part]}" for part in one if one[part] != other[part]]
            reason = ", ".join(differences) or "one is the floor of the other"
        raise ValueError(f"Expected two scores of one name; received {first!r} and {second!r}: {reason}")
    features = [(about or {}).get("features") for about in (first_about, second_about)]
    if None not in features and features[0] != features[1]:
        raise ValueError(
            f"Expected two scores {first!r} of the same features; received {features[0]!r} and {features[1]!r}"
        )
