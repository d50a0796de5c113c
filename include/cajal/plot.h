/**
 * @file plot.h
 * A model as a picture: boxes for layers, lines for what flows between them.
 */
#ifndef CAJAL_PLOT_H
#define CAJAL_PLOT_H

#include <cajal/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The arguments of cj_model_plot(). */
typedef struct cj_plot_args {
    size_t size;        ///< bytes of the struct
    int _;              ///< what follows may be given by position
    bool show_shapes;   ///< default true: each box has the shape of its output
    bool expand_nested; ///< default false; true: a nested model's layers stand in its place
} cj_plot_args;
/** The defaults of cj_plot_args. */
#define CJ_PLOT_DEFAULTS .size = sizeof(cj_plot_args), .show_shapes = true
/** Sets `args` to CJ_PLOT_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_plot_defaults(cj_plot_args *args);
/**
 * Writes the graph of a built model as SVG 1.1, as Keras's `plot_model` draws it, without outside
 * tools. Data flow from top to bottom. A box is one application of a layer: its name, class, output
 * shape and number of parameters. Lines that pass over several rows of boxes have a column of their
 * own, and as few as possible cross. Colours: green for inputs, blue for layers with weights,
 * orange for what merges several inputs, grey for the rest.
 *
 * @param model  a built model
 * @param stream where the SVG is written, in UTF-8
 * @return CJ_OK; CJ_INVALID_ARGUMENT (NULL); CJ_NOT_BUILT; CJ_UNSUPPORTED (a graph with more than a
 *         million boxes and bends); CJ_IO; CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_model_plot_with(cj_model *model, FILE *stream, const cj_plot_args *args);
/** `cj_model_plot(model, file, .expand_nested = true)`. */
#define cj_model_plot(model, ...)                       \
    cj_model_plot_with(model, CJ__HEAD(__VA_ARGS__, ~), \
                       &(cj_plot_args){CJ_PLOT_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

#ifdef __cplusplus
}
#endif
#endif
