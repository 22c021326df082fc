"""Layers as TensorFlow can fuse them: on one matrix instead of a stack of them.

Keras multiplies a batch (texts, tokens, hidden) as the matrix (texts · tokens, hidden), gives the product its three axes back and
only then adds the bias. The step between keeps TensorFlow from its fused kernel for product, bias and GELU. Here the axes come back
after all of it. A layer normalization is ten operations in Keras where its epsilon is as small as BERT's; written as a batch
normalization of which each token is a channel it is one, where oneDNN is there.
"""

import contextlib


def _flat(dense, inputs, activation=None):
    """What a Keras dense layer computes, with the activation of the layer around it; inputs are a tensor (…, features)."""
    import tensorflow as tf

    product = tf.matmul(tf.reshape(inputs, (-1, inputs.shape[-1])), dense.kernel)
    result = tf.nn.bias_add(product, dense.bias) if dense.use_bias else product
    for function in (dense.activation, activation):
        result = function(result) if function else result
    return tf.reshape(result, tf.concat([tf.shape(inputs)[:-1], [dense.units]], axis=0))


def _normalized(norm, inputs):
    """What a Keras layer normalization computes over the last axis; inputs are a tensor (…, features).

    TensorFlow's remapper looks for exactly these operations (`FindMklLayerNorm` in its remapper.cc): nothing else may read
    what stands between the first and the last.
    """
    import tensorflow as tf

    shape, nothing = tf.shape(inputs), tf.constant([], tf.float32)
    tokens = tf.reduce_prod(shape[:-1], keepdims=True)
    # Not tf.compat.v1.nn.fused_batch_norm, which raises epsilon to 1e-5; BERT has 1e-12.
    standard = tf.raw_ops.FusedBatchNormV3(
        x=tf.reshape(inputs, (1, -1, inputs.shape[-1], 1)), scale=tf.fill(tokens, 1.0), offset=tf.fill(tokens, 0.0),
        mean=nothing, variance=nothing, epsilon=norm.epsilon, data_format="NCHW", is_training=True,
    )[0]
    return norm.beta + tf.reshape(standard, shape) * norm.gamma


def _onednn():
    """Whether TensorFlow uses oneDNN here; without it `_normalized` is twice as slow as Keras."""
    try:
        from tensorflow.python.util._pywrap_util_port import IsMklEnabled
    except ImportError:  # no public way to ask
        return False
    return IsMklEnabled()


@contextlib.contextmanager
def flat_layers(model):
    """While this lasts, graphs that are traced through the model have flat layers; they compute the same.

    Args:
        model: a `TFBertModel`. It is as before afterwards; a graph traced meanwhile reads its weights, also when they change.
    """
    import tf_keras
    from transformers.models.bert.modeling_tf_bert import TFBertIntermediate

    def dense(layer):
        return lambda inputs: _flat(layer, inputs)

    def intermediate(layer):
        return lambda hidden_states: _flat(layer.dense, hidden_states, layer.intermediate_act_fn)

    def normalization(layer):
        return lambda inputs: _normalized(layer, inputs)

    ways = {tf_keras.layers.Dense: dense, TFBertIntermediate: intermediate}
    if _onednn():
        ways[tf_keras.layers.LayerNormalization] = normalization
    changed = []
    try:
        for layer in model._flatten_layers():
            way = ways.get(type(layer))
            if way:
                layer.__dict__["call"] = way(layer)
                changed.append(layer)
        yield
    finally:
        for layer in changed:
            del layer.__dict__["call"]
