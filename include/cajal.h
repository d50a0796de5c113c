/**
 * @file cajal.h
 * Cajal: neural networks in C, in the words of Keras. This header is all of it; each part has a
 * header of its own.
 */
#ifndef CAJAL_H
#define CAJAL_H

#include <cajal/activations.h>
#include <cajal/attention.h>
#include <cajal/architectures.h>
#include <cajal/arrays.h>
#include <cajal/augmentation.h>
#include <cajal/base.h>
#include <cajal/callbacks.h>
#include <cajal/calls.h>
#include <cajal/classic.h>
#include <cajal/clone.h>
#include <cajal/conversion.h>
#include <cajal/convolutions.h>
#include <cajal/cross_validate.h>
#include <cajal/custom.h>
#include <cajal/data.h>
#include <cajal/embeddings.h>
#include <cajal/events.h>
#include <cajal/explain.h>
#include <cajal/explain_loss.h>
#include <cajal/files.h>
#include <cajal/folders.h>
#include <cajal/graph.h>
#include <cajal/layer_specs.h>
#include <cajal/layers.h>
#include <cajal/loss_scale.h>
#include <cajal/merging.h>
#include <cajal/model.h>
#include <cajal/nir.h>
#include <cajal/normalization.h>
#include <cajal/numbers.h>
#include <cajal/operators.h>
#include <cajal/ops_index.h>
#include <cajal/ops_math.h>
#include <cajal/ops_nn.h>
#include <cajal/ops_random.h>
#include <cajal/ops_reduce.h>
#include <cajal/ops_shape.h>
#include <cajal/ops_wide.h>
#include <cajal/optimizers.h>
#include <cajal/pictures.h>
#include <cajal/plot.h>
#include <cajal/pools.h>
#include <cajal/preprocessing.h>
#include <cajal/recurrent.h>
#include <cajal/regularization.h>
#include <cajal/residuals.h>
#include <cajal/reshaping.h>
#include <cajal/sampling.h>
#include <cajal/scan.h>
#include <cajal/schedules.h>
#include <cajal/settings.h>
#include <cajal/sounds.h>
#include <cajal/spatial.h>
#include <cajal/tables.h>
#include <cajal/spike_trains.h>
#include <cajal/spiking.h>
#include <cajal/spectrogram.h>
#include <cajal/streams.h>
#include <cajal/tensor.h>
#include <cajal/text.h>
#include <cajal/texts.h>
#include <cajal/timeline.h>
#include <cajal/train.h>
#include <cajal/loop.h>
#include <cajal/metrics.h>
#include <cajal/wrappers.h>

#endif
