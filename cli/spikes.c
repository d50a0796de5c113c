// What neurons do, for cajal plot and cajal evaluate: spikes and membranes on an input, firing rates over
// currents, and how much fires.
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CURVE_POINTS = 101, CURVE_STEPS = 2000, MOST_ROWS = 1024 };

bool gives_steps(const cj_model *model)
{
    const cj_shape *shape = cj_model_output_shape(model, 0);
    return shape && shape->rank == 3 && cj_model_output_count(model) == 1;
}

bool takes_events(const cj_model *model)
{
    const cj_shape *shape = cj_model_input_shape(model, 0);
    return shape && shape->rank == 5 && shape->dims[1] > 0 && shape->dims[4] == 2;
}

cj_status read_events(const cj_model *model, const char *path, cj_tensor **input)
{
    const cj_shape *shape = cj_model_input_shape(model, 0);
    cj_tensor *events = NULL, *frames = NULL;
    CJ_TRY(cj_load_events(path, &events));
    cj_status status = cj_event_frames(events, &frames, .steps = shape->dims[1],
                                       .height = shape->dims[2], .width = shape->dims[3]);
    cj_release(events);
    if (status == CJ_OK)
        status = fit_input(model, frames, input);
    cj_release(frames);
    return status;
}

// The first sample of a file of rows.
static cj_status read_row(const cj_model *model, const char *path, cj_tensor **input)
{
    cj_tensor *rows = NULL;
    CJ_TRY(read_rows(model, path, &rows));
    const cj_status status = cj_tensor_slice(rows, 0, 0, 1, input);
    cj_release(rows);
    return status;
}

static cj_status read_input(const cj_model *model, const char *path, bool invert, cj_tensor **input)
{
    if (takes_events(model))
        return read_events(model, path, input);
    if (is_csv(path))
        return read_row(model, path, input);
    return read_model_image(model, path, invert, input);
}

static cj_status plot_spikes(cj_model *model, const spike_plot *p, FILE *file)
{
    cj_tensor *input = NULL;
    CJ_TRY(read_input(model, p->input, p->invert, &input));
    const cj_status status =
        cj_model_spikes_plot(model, input, file, .layer = p->layer, .rows = p->rows);
    cj_release(input);
    return status;
}

static cj_status plot_curve(cj_model *model, const spike_plot *p, FILE *file)
{
    double currents[CURVE_POINTS], rates[CURVE_POINTS];
    char title[256];
    cj_layer *layer = cj_model_find_layer(model, p->curve);
    if (!layer)
        return cj_error_status();
    if (!(p->to > p->from))
        return cj_fail(CJ_INVALID_ARGUMENT, "currents from %g to %g: the second must be greater",
                       p->from, p->to);
    for (int i = 0; i < CURVE_POINTS; i++)
        currents[i] = p->from + (p->to - p->from) * i / (CURVE_POINTS - 1);
    CJ_TRY(cj_neuron_rates(layer, p->neuron, currents, rates, CURVE_POINTS, CURVE_STEPS));
    snprintf(title, sizeof title, "%s (%s): spikes a unit of time over the current", p->curve,
             cj_layer_class(layer));
    return cj_curve_plot(currents, rates, CURVE_POINTS, title, file);
}

bool plots_spikes(const spike_plot *p)
{
    return p->input || p->curve;
}

cj_status write_spike_plot(cj_model *model, const spike_plot *p, FILE *file)
{
    return p->curve ? plot_curve(model, p, file) : plot_spikes(model, p, file);
}

// Of at most MOST_ROWS samples, which say enough.
cj_status print_activity(cj_model *model, const cj_dataset *data)
{
    cj_tensor *x = cj_dataset_x(data, 0), *some = NULL;
    const int64_t all = cj_dataset_count(data), count = all < MOST_ROWS ? all : MOST_ROWS;
    if (!x)
        return cj_fail(CJ_UNSUPPORTED, "the data is not in memory, so spikes cannot be counted");
    CJ_TRY(cj_tensor_slice(x, 0, 0, count, &some));
    printf("\nwhat fires on %lld samples\n", (long long)count);
    const cj_status status = cj_spike_activities_print(model, some, stdout);
    cj_release(some);
    return status;
}

cj_status sum_steps(cj_tensor **scores)
{
    const cj_shape *shape = cj_tensor_shape(*scores);
    const int64_t samples = shape->dims[0], steps = shape->dims[1], classes = shape->dims[2];
    const float *each = cj_tensor_data(*scores);
    cj_tensor *sums = NULL;
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(samples, classes), &sums));
    cj_tensor_fill(sums, 0);
    for (int64_t i = 0; i < samples; i++)
        for (int64_t t = 0; t < steps; t++)
            for (int64_t k = 0; k < classes; k++)
                ((float *)cj_tensor_data(sums))[i * classes + k] += *each++;
    cj_release(*scores);
    *scores = sums;
    return CJ_OK;
}
