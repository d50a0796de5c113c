// Where the boxes of a graph go, and the lines between them: Sugiyama's method. Boxes stand in rows,
// a box below all that feed it. A line that passes over rows has a *bend* in each of them, a vertex
// like a box, but thin. Then the vertices of each row are put in an order in which few lines cross,
// and as near to what they are tied to as the boxes' widths allow.
#ifndef CJ_EXPLAIN_PLOT_LAYOUT_H
#define CJ_EXPLAIN_PLOT_LAYOUT_H

#include "base/error.h"

// A box, or a bend.
typedef struct cj__vertex {
    int width; // of a box: given
    int row;   // from the top
    int x;     // of its middle
    bool bend;
    // for the layout's own use
    int order;
    double at, wish;
} cj__vertex;

// A line from the bottom of one box to the top of another, through bends in the rows between.
typedef struct cj__line {
    int from, to;
    int first_bend, bend_count; // vertices first_bend, first_bend + 1, ...: from top to bottom
} cj__line;

typedef struct cj__layout {
    cj__vertex *vertices; // boxes first, in an order in which lines go from lower to higher indices
    int box_count, vertex_count;
    size_t vertex_capacity;
    cj__line *lines;
    int line_count;
    size_t line_capacity;
    int row_count, width; // made
} cj__layout;

enum { CJ__PLOT_GAP = 24, CJ__PLOT_MOST = 1000000 };

cj_status cj__layout_add_box(cj__layout *layout, int width);
cj_status cj__layout_add_line(cj__layout *layout, int from, int to);
// Gives every vertex its row and place. All boxes and lines are there.
cj_status cj__layout_place(cj__layout *layout);
void cj__layout_free(cj__layout *layout);

#endif
