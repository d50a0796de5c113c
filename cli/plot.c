// cajal plot: the graph of a model as SVG, what its neurons do, or the curve of a training log.
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

// What is asked for: of a model, or of the log of a run.
typedef struct picture {
    cj_model *model;
    const char *log;
    const cj_plot_args *args;
    const spike_plot *spikes;
} picture;

static cj_status draw(const picture *p, FILE *file)
{
    if (p->log)
        return write_log_curve(p->log, file);
    return plots_spikes(p->spikes) ? write_spike_plot(p->model, p->spikes, file) :
                                     cj_model_plot_with(p->model, file, p->args);
}

// Writes beside the file and then puts it in its place, so that it is whole or as it was.
static cj_status write_plot(const picture *p, const char *path)
{
    char part[4096];
    CJ_TRY(check_output(path));
    if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part)
        return cj_fail(CJ_INVALID_ARGUMENT, "the file's name is too long");
    FILE *file = fopen(part, "w");
    if (!file)
        return cj_fail(CJ_IO, "%s: cannot be written: %s", part, strerror(errno));
    cj_status status = draw(p, file);
    const bool written = !ferror(file), closed = fclose(file) == 0 && written;
    if (status == CJ_OK && (!closed || rename(part, path) != 0))
        status = cj_fail(CJ_IO, "%s: cannot be written: %s", path, strerror(errno));
    if (status != CJ_OK)
        remove(part);
    return status;
}

int run_plot(int argc, char **argv)
{
    const char *words[2] = {NULL, NULL};
    bool no_shapes = false, nested = false;
    spike_plot spikes = {.rows = 40, .to = 2};
    const option options[] = {
        FLAG_OPTION("expand-nested", &nested, "draw the layers of models inside the model"),
        FLAG_OPTION("no-shapes", &no_shapes, "leave out the shapes of outputs"),
        TEXT_OPTION(
            "spikes", "INPUT", &spikes.input,
            "instead: the spikes and membranes of its neurons on an image, the first row of "
            "a .csv, or a file of events"),
        TEXT_OPTION("layer", "LAYER", &spikes.layer, "with --spikes: only this layer of neurons"),
        INT_OPTION("rows", "N", &spikes.rows, 1, 200, "with --spikes: neurons of a layer (40)"),
        FLAG_OPTION("invert", &spikes.invert,
                    "with --spikes: the image is dark on light: take it the other way round"),
        TEXT_OPTION(
            "rates", "LAYER", &spikes.curve,
            "instead: how often a neuron of that layer fires, over the current (f-I curve)"),
        INT_OPTION("neuron", "N", &spikes.neuron, 0, INFINITY, "with --rates: which neuron (0)"),
        REAL_OPTION("from", "X", &spikes.from, 0, INFINITY, "with --rates: currents from (0)"),
        REAL_OPTION("to", "X", &spikes.to, 0, INFINITY, "with --rates: currents to (2)"),
    };
    int done = read_options(find_command("plot"), options, sizeof options / sizeof *options, argc,
                            argv, 2, 2, words);
    if (done != EXIT_DONE)
        return done < 0 ? EXIT_DONE : done;
    if (spikes.input && spikes.curve) {
        fputs("cajal plot: --spikes and --rates are two pictures: give one of them\n", stderr);
        return EXIT_USAGE;
    }
    const cj_plot_args args = {CJ_PLOT_DEFAULTS, .show_shapes = !no_shapes,
                               .expand_nested = nested};
    picture p = {
        .log = ends_with(words[0], ".csv") ? words[0] : NULL, .args = &args, .spikes = &spikes};
    if (p.log && (plots_spikes(&spikes) || no_shapes || nested)) {
        fprintf(stderr, "cajal plot: %s is a log: its picture has no options\n", words[0]);
        return EXIT_USAGE;
    }
    if (!p.log)
        p.model = is_model_file(words[0]) ? cj_load(words[0]) : make_model(words[0], NULL, false);
    const cj_status status = p.model || p.log ? write_plot(&p, words[1]) : cj_error_status();
    cj_release(p.model);
    return finish(status);
}
