"""Dense layers as TensorFlow can fuse them: on one matrix instead of a stack of them.

Keras multiplies a batch (texts, tokens, hidden) as the matrix (texts · tokens, hidden), gives the product its three axes back and
only then adds the bias. The step between keeps TensorFlow from its fused kernel for product, bias and GELU. Here the axes come back
after all of it.
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


@contextlib.contextmanager
def flat_layers(model):
    """While this lasts, graphs that are traced through the model have flat dense layers; they compute the same.

    Args:
        model: a `TFBertModel`. It is as before afterwards; a graph traced meanwhile reads its weights, also when they change.
    """
    import tf_keras
    from transformers.models.bert.modeling_tf_bert import TFBertIntermediate

    def dense(layer):
        return lambda inputs: _flat(layer, inputs)

    def intermediate(layer):
        return lambda hidden_states: _flat(layer.dense, hidden_states, layer.intermediate_act_fn)

    changed = []
    try:
        for layer in model._flatten_layers():
            way = {tf_keras.layers.Dense: dense, TFBertIntermediate: intermediate}.get(type(layer))
            if way:
                layer.__dict__["call"] = way(layer)
                changed.append(layer)
        yield
    finally:
        for layer in changed:
            del layer.__dict__["call"]
