import numpy as np
import pytest
import tensorflow as tf

from keras_gen.evaluation.context import EvaluationContext
from keras_gen.evaluation.evaluators.categories import category_error, confident_classes, majority_classes
from keras_gen.models import Endpoint
from tests.evaluation.toys import make_run


def test_most_frequent_class_by_hand():
    categories, labels = np.array([0, 0, 0, 1, 1, 3]), np.array([2, 2, 1, 0, 1, 1])
    # the lower class for a tie; category 2 has no image
    np.testing.assert_array_equal(majority_classes(categories, labels, 4), [2, 0, -1, 1])


def test_class_of_the_most_confident_image_by_hand():
    probabilities = np.array([[0.6, 0.4], [0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    np.testing.assert_array_equal(confident_classes(probabilities, np.array([5, 7, 1, 2])), [7, 1])


class Halves:
    """A model that infers three categories from the brightness of an image: dark, middle, bright."""

    num_categories = 3

    def __init__(self, **attributes):
        for name, value in attributes.items():
            setattr(self, name, value)

    def endpoints(self):
        def infer(image):
            light = tf.reduce_mean(image, axis=[1, 2, 3])
            return {"category": tf.nn.softmax(-20.0 * tf.square(light[:, None] - tf.constant([0.2, 0.5, 0.8])))}

        return [Endpoint("infer", infer, {}, {})]


@pytest.fixture
def context(tmp_path):
    """A context of constant images with label 1 if bright; a quarter of the bright training images have label 0."""
    run = make_run(tmp_path, "autoencoder")
    generator = np.random.default_rng(0)

    def flat(values):
        return np.broadcast_to(np.reshape(values, (-1, 1, 1, 1)), (len(values), 8, 8, 1)).astype(np.float32)

    train, test = generator.choice([0.2, 0.8], 200), generator.choice([0.2, 0.5, 0.8], 60)
    labels = (train > 0.5).astype(np.int32)
    labels[:150][np.flatnonzero(labels[:150])[::4]] = 0
    labels[150:] = 0
    train[150:] = 0.3
    train[160], labels[160] = 0.85, 1  # the brightest validation image, the only one of its class
    file = run.config["data"]["source"]
    np.savez(file, x_train=flat(train), y_train=labels, x_test=flat(test), y_test=(test > 0.4).astype(np.int32))
    return EvaluationContext(run)


def middle_fraction(context) -> float:
    """The fraction of test images of the middle category."""
    return float(np.mean(context.batch(None, role="test")["image"][:, 0, 0, 0] == 0.5))


def test_classes_come_from_training_images_and_the_error_from_test_images(context):
    context.model = Halves()
    metrics, about = category_error(context)
    # dark is class 0 and bright is 1 despite wrong labels; no training image is in the middle category
    labels = context.batch(None)["label"]
    baseline = min(np.mean(labels), 1 - np.mean(labels))
    expected = {"category_error_test": middle_fraction(context), "category_error_test_baseline": baseline}
    assert metrics == pytest.approx(expected)
    assert about["category_error_test_baseline"]["note"] == f"class {int(np.mean(labels) > 0.5)} for every image"
    assert about["category_error_test"]["images"] == 60
    assert "3 categories, each its most frequent class among 150 training" in about["category_error_test"]["note"]


def test_clusters_have_the_class_of_their_most_confident_validation_image(context):
    context.model = Halves(supervised=False)
    metrics, about = category_error(context)
    assert set(metrics) == {f"{kind}_error_test{end}" for kind in ("category", "cluster") for end in ("", "_baseline")}
    # by softmax, the middle cluster's most confident validation image is a dark one
    assert metrics["cluster_error_test"] == pytest.approx(middle_fraction(context))
    assert "most confident of 50 validation images" in about["cluster_error_test"]["note"]
    context.split = "validation"
    metrics, about = category_error(context)
    assert "most confident of 150 training images" in about["cluster_error_validation"]["note"]


def test_categories_of_a_supervised_model_are_the_classes(context):
    context.model = Halves(supervised=True)
    metrics, about = category_error(context)
    bright = 1 - np.mean(context.batch(None)["image"][:, 0, 0, 0] < 0.3) - middle_fraction(context)
    # dark 0 and middle 1 are right, bright is category 2 and class 1
    assert metrics["category_error_test"] == pytest.approx(bright)
    assert about["category_error_test"]["note"] == "3 categories, which are the classes"


def test_data_without_classes(context):
    np.savez(context.run.config["data"]["source"], x_train=np.zeros((200, 8, 8, 1)), x_test=np.zeros((60, 8, 8, 1)))
    context.model = Halves(supervised=False)
    metrics, about = category_error(context)
    assert set(metrics.values()) == {None} and len(metrics) == 4
    assert "no class labels" in about["cluster_error_test"]["reason"]
