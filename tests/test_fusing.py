"""`fusing.flat_layers`: the same vectors from fewer operations, and a model that is as before."""

import pytest
from numpy.testing import assert_allclose

from helpers import environment, fusing

environment.prepare()  # before TensorFlow

from helpers.sentence_encoder import SentenceEncoder
from tests import tiny


def traced(encoder, flat):
    """`encoder.vectors` as a graph, with flat layers or as Keras builds them."""
    import tensorflow as tf

    graph = tf.function(encoder.vectors, input_signature=[tf.TensorSpec((None, None), tf.int32)] * 2)
    if flat:
        with fusing.flat_layers(encoder.model):
            return graph.get_concrete_function()
    return graph.get_concrete_function()


def before_the_bias(graph):
    """The kinds of operation whose result a bias is added to, over a graph and the functions it calls."""
    operations = [operation for function in (graph.graph, *graph.graph._functions.values()) for operation in getattr(function, "graph", function).get_operations()]
    return {operation.inputs[0].op.type for operation in operations if operation.type == "BiasAdd"}


def test_the_vectors_are_those_of_keras_layers():
    import tensorflow as tf

    encoder = SentenceEncoder(tiny.folder())
    inputs = encoder.tokenizer(["soccer is fun", "the sky"], padding=True, return_tensors="np")
    pieces = [tf.constant(inputs[name], tf.int32) for name in ("input_ids", "attention_mask")]
    assert_allclose(traced(encoder, True)(*pieces), traced(encoder, False)(*pieces), atol=1e-6)


def test_the_bias_is_added_to_the_product_itself():
    encoder = SentenceEncoder(tiny.folder())
    assert before_the_bias(traced(encoder, True)) == {"MatMul"}
    assert "Reshape" in before_the_bias(traced(encoder, False))


def test_each_layer_normalization_is_one_operation_where_it_is_computed():
    import tensorflow as tf
    import tf_keras
    from tensorflow.python.eager.context import context

    if not fusing._onednn():
        pytest.skip("layer normalizations are left to Keras where TensorFlow has no oneDNN")
    encoder = SentenceEncoder(tiny.folder())
    graph = traced(encoder, True)
    context().enable_run_metadata()
    try:
        graph(tf.constant([[1, 2]]), tf.constant([[1, 1]]))
        run = [node.op for part in context().export_run_metadata().partition_graphs for node in part.node]
    finally:
        context().disable_run_metadata()
    norms = [layer for layer in encoder.model._flatten_layers() if isinstance(layer, tf_keras.layers.LayerNormalization)]
    assert run.count("_MklLayerNorm") == len(norms) > 1 and "Rsqrt" not in run


def test_without_onednn_keras_normalizes(monkeypatch):
    monkeypatch.setattr(fusing, "_onednn", lambda: False)
    operations = {operation.type for operation in traced(SentenceEncoder(tiny.folder()), True).graph.get_operations()}
    assert "FusedBatchNormV3" not in operations and "BiasAdd" in operations


def test_the_model_is_as_before_also_after_an_error():
    encoder = SentenceEncoder(tiny.folder())
    with pytest.raises(ZeroDivisionError), fusing.flat_layers(encoder.model):
        assert any("call" in layer.__dict__ for layer in encoder.model._flatten_layers())
        1 / 0
    assert not any("call" in layer.__dict__ for layer in encoder.model._flatten_layers())
