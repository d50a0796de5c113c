"""Layers of Keras's applications: ConvNeXt's and InceptionResNetV2's, alone and in their blocks. Parts as in layers.py."""

from keras import layers as L
from keras.src.applications.convnext import ConvNeXtBlock, LayerScale, StochasticDepth
from keras.src.applications.inception_resnet_v2 import CustomScaleLayer

from .attention import Several
from .store import Fixture


def make():
    fixture = Fixture("residuals", "layers of keras.applications: outputs, gradients, penalties", 4e-5, 2e-5,
                      "float32 sums of up to 200 products in another order")
    b = Several(fixture)
    for shape in ((4,), (3, 4), (2, 3, 4), (2, 1, 2, 4)):
        for training in (False, True):
            tag = f"{len(shape)}{'_training' if training else ''}"
            b.one(f"layer_scale_{tag}", LayerScale(0.3, 4), shape, training=training)
            b.one(f"stochastic_depth_0_{tag}", StochasticDepth(0.0), shape, training=training)
        b.many(f"custom_scale_{len(shape)}", lambda x, y: CustomScaleLayer(scale=0.17)([x, y]), shape, shape)
    for rate in (0.1, 0.5, 0.9):
        b.one(f"stochastic_depth_{rate}_inference", StochasticDepth(rate), (3, 4))
    b.one("layer_scale_batch_1", LayerScale(1e-6, 5), (5,), batch=1)
    b.one("layer_scale_negative", LayerScale(-2.0, 5), (3, 5), batch=3)
    b.many("custom_scale_negative", lambda x, y: CustomScaleLayer(scale=-1.5)([x, y]), (5, 4, 3), (5, 4, 3), batch=1)
    b.many("custom_scale_of_convolutions", lambda x, y: L.Activation("relu")(CustomScaleLayer(scale=0.2)([x, L.Conv2D(3, 1)(y)])),
           (4, 5, 3), (4, 5, 2))
    b.one("convnext_block", ConvNeXtBlock(4, layer_scale_init_value=0.5, name="block"), (8, 7, 4))
    b.one("convnext_block_dropped", ConvNeXtBlock(3, drop_path_rate=0.2, layer_scale_init_value=0.1, name="block"), (5, 6, 3))
    return [fixture]
