// Rows by longest paths, orders by barycentres, places by regression.
//   Sugiyama, Tagawa and Toda 1981, "Methods for visual understanding of hierarchical system
//   structures"; the weights of straight lines as in Gansner et al. 1993, "A technique for drawing
//   directed graphs".
#include "explain/plot_layout.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ORDER_SWEEPS = 12, PLACE_SWEEPS = 40, BEND_WIDTH = 8 };

// A piece of a line between neighbouring rows.
typedef struct arc {
    int upper, lower;
    double weight; // how much it wants to be straight
} arc;

// A block of neighbours that stand as close as they may: the least and the greatest place of its
// left end that one of them wishes. Where it has boxes, bends have no say, so they go round boxes.
typedef struct block {
    double least, most;
    int length;
    bool boxes;
} block;

// The rows: the vertices of row r are at [start[r], start[r + 1]) of `vertices`, from left to right.
// The arcs that end at vertex v from above are above[above_start[v] ..], those below likewise.
typedef struct work {
    cj__layout *layout;
    int *start, *vertices;
    arc *above, *below;
    int *above_start, *below_start;
    int arc_count;
    block *blocks; // of a row while it is placed
} work;

static cj_status add_vertex(cj__layout *l, cj__vertex vertex)
{
    if (l->vertex_count >= CJ__PLOT_MOST)
        return cj__fail(CJ_UNSUPPORTED, "the graph has more than %d boxes and bends",
                        CJ__PLOT_MOST);
    if (!cj__reserve((void **)&l->vertices, &l->vertex_capacity, (size_t)l->vertex_count + 1,
                     sizeof *l->vertices))
        return CJ_OUT_OF_MEMORY;
    l->vertices[l->vertex_count++] = vertex;
    return CJ_OK;
}

cj_status cj__layout_add_box(cj__layout *layout, int width)
{
    CJ_TRY(add_vertex(layout, (cj__vertex){.width = width}));
    layout->box_count = layout->vertex_count;
    return CJ_OK;
}

cj_status cj__layout_add_line(cj__layout *layout, int from, int to)
{
    if (!cj__reserve((void **)&layout->lines, &layout->line_capacity,
                     (size_t)layout->line_count + 1, sizeof *layout->lines))
        return CJ_OUT_OF_MEMORY;
    layout->lines[layout->line_count++] = (cj__line){.from = from, .to = to};
    return CJ_OK;
}

void cj__layout_free(cj__layout *layout)
{
    cj__free(layout->vertices);
    cj__free(layout->lines);
    *layout = (cj__layout){0};
}

// ---- Rows ----

static int by_target(const void *a, const void *b)
{
    const cj__line *x = a, *y = b;
    return x->to != y->to ? (x->to > y->to) - (x->to < y->to) :
                            (x->from > y->from) - (x->from < y->from);
}

// Each box one row below the lowest that feeds it. A box that nothing feeds stands just above the
// first that it feeds, so that an input which is used late is drawn where it is used.
static void choose_rows(cj__layout *l)
{
    cj__vertex *v = l->vertices;
    if (l->line_count > 0)
        qsort(l->lines, (size_t)l->line_count, sizeof *l->lines, by_target);
    for (int i = 0; i < l->line_count; i++) {
        const cj__line *line = &l->lines[i];
        const int below = v[line->from].row + 1;
        v[line->to].row = v[line->to].row > below ? v[line->to].row : below;
    }
    for (int i = 0; i < l->box_count; i++)
        v[i].order = -1; // the highest row that it feeds
    for (int i = 0; i < l->line_count; i++) {
        cj__vertex *from = &v[l->lines[i].from];
        const int row = v[l->lines[i].to].row;
        from->order = from->order < 0 || row < from->order ? row : from->order;
    }
    for (int i = 0; i < l->box_count; i++)
        if (v[i].row == 0 && v[i].order > 0)
            v[i].row = v[i].order - 1;
    l->row_count = 0;
    for (int i = 0; i < l->box_count; i++)
        l->row_count = v[i].row >= l->row_count ? v[i].row + 1 : l->row_count;
}

static cj_status add_bends(cj__layout *l)
{
    for (int i = 0; i < l->line_count; i++) {
        cj__line *line = &l->lines[i];
        const int top = l->vertices[line->from].row, bottom = l->vertices[line->to].row;
        line->first_bend = l->vertex_count;
        line->bend_count = bottom - top - 1;
        for (int row = top + 1; row < bottom; row++)
            CJ_TRY(add_vertex(l, (cj__vertex){.width = BEND_WIDTH, .row = row, .bend = true}));
    }
    return CJ_OK;
}

// ---- The rows' lists, and the arcs of each vertex ----

static cj_status make_rows(work *w)
{
    const cj__layout *l = w->layout;
    const size_t rows = (size_t)l->row_count, vertices = (size_t)l->vertex_count;
    w->start = cj__new(rows + 1, sizeof *w->start);
    w->vertices = cj__new(vertices, sizeof *w->vertices);
    w->above_start = cj__new(vertices + 1, sizeof *w->above_start);
    w->below_start = cj__new(vertices + 1, sizeof *w->below_start);
    w->blocks = cj__new(vertices, sizeof *w->blocks);
    int *next = cj__new(rows, sizeof *next);
    const bool made =
        w->start && w->vertices && w->above_start && w->below_start && w->blocks && next;
    for (int i = 0; made && i < l->vertex_count; i++)
        w->start[l->vertices[i].row + 1]++;
    for (int r = 0; made && r < l->row_count; r++) {
        w->start[r + 1] += w->start[r];
        next[r] = w->start[r];
    }
    for (int i = 0; made && i < l->vertex_count; i++)
        w->vertices[next[l->vertices[i].row]++] = i;
    cj__free(next);
    return made ? CJ_OK : CJ_OUT_OF_MEMORY;
}

static void list_arcs(const cj__layout *l, arc *arcs)
{
    int count = 0;
    for (int i = 0; i < l->line_count; i++) {
        const cj__line *line = &l->lines[i];
        int upper = line->from;
        for (int b = 0; b <= line->bend_count; b++) {
            const int lower = b < line->bend_count ? line->first_bend + b : line->to;
            const int bends = l->vertices[upper].bend + l->vertices[lower].bend;
            arcs[count++] = (arc){upper, lower, bends == 0 ? 1 : bends == 1 ? 2 : 8};
            upper = lower;
        }
    }
}

static int by_upper(const void *a, const void *b)
{
    const arc *x = a, *y = b;
    return x->upper != y->upper ? (x->upper > y->upper) - (x->upper < y->upper) :
                                  (x->lower > y->lower) - (x->lower < y->lower);
}

static int by_lower(const void *a, const void *b)
{
    const arc *x = a, *y = b;
    return x->lower != y->lower ? (x->lower > y->lower) - (x->lower < y->lower) :
                                  (x->upper > y->upper) - (x->upper < y->upper);
}

static cj_status make_arcs(work *w)
{
    const cj__layout *l = w->layout;
    w->arc_count = l->line_count;
    for (int i = 0; i < l->line_count; i++)
        w->arc_count += l->lines[i].bend_count;
    const size_t count = (size_t)w->arc_count;
    w->above = cj__new(count, sizeof *w->above);
    w->below = cj__new(count, sizeof *w->below);
    if (!w->above || !w->below)
        return CJ_OUT_OF_MEMORY;
    list_arcs(l, w->above);
    memcpy(w->below, w->above, count * sizeof *w->below);
    qsort(w->above, count, sizeof *w->above, by_lower);
    qsort(w->below, count, sizeof *w->below, by_upper);
    for (int i = 0; i < w->arc_count; i++) {
        w->above_start[w->above[i].lower + 1]++;
        w->below_start[w->below[i].upper + 1]++;
    }
    for (int i = 0; i < l->vertex_count; i++) {
        w->above_start[i + 1] += w->above_start[i];
        w->below_start[i + 1] += w->below_start[i];
    }
    return CJ_OK;
}

// The mean of `at` over the neighbours above or below, for orders; the vertex's own without any.
static double neighbours_mean(const work *w, int vertex, bool from_above)
{
    const cj__vertex *v = w->layout->vertices;
    const int *start = from_above ? w->above_start : w->below_start;
    const int count = start[vertex + 1] - start[vertex];
    double sum = 0;
    for (int i = start[vertex]; i < start[vertex + 1]; i++)
        sum += v[from_above ? w->above[i].upper : w->below[i].lower].at;
    return count > 0 ? sum / count : v[vertex].at;
}

// Where the neighbours above or below want a vertex: in their middle; but where one of two is a
// bend, at the other, so that a chain of boxes with shortcuts beside it is straight. *weight is how
// much they want it, 0 without any.
static double neighbours_wish(const work *w, int vertex, bool from_above, double *weight)
{
    const cj__vertex *v = w->layout->vertices;
    const int *start = from_above ? w->above_start : w->below_start;
    double left = INFINITY, right = -INFINITY, of_boxes = 0;
    int boxes = 0, count = 0;
    *weight = 0;
    for (int i = start[vertex]; i < start[vertex + 1]; i++, count++) {
        const arc *a = from_above ? &w->above[i] : &w->below[i];
        const cj__vertex *other = &v[from_above ? a->upper : a->lower];
        left = fmin(left, other->at);
        right = fmax(right, other->at);
        boxes += !other->bend;
        of_boxes += other->bend ? 0 : other->at;
        *weight += a->weight;
    }
    if (count == 2 && boxes == 1)
        return of_boxes;
    return count > 0 ? (left + right) / 2 : v[vertex].at;
}

// ---- Orders ----

// Sorts a row by the wishes of its vertices; equal ones stay as they are.
static void sort_row(const work *w, int row)
{
    cj__vertex *v = w->layout->vertices;
    int *list = w->vertices + w->start[row];
    const int count = w->start[row + 1] - w->start[row];
    for (int i = 1; i < count; i++) {
        const int moved = list[i];
        int j = i;
        for (; j > 0 && v[list[j - 1]].wish > v[moved].wish; j--)
            list[j] = list[j - 1];
        list[j] = moved;
    }
    for (int i = 0; i < count; i++)
        v[list[i]].at = i - (count - 1) / 2.0;
}

static void choose_orders(const work *w)
{
    const int rows = w->layout->row_count;
    cj__vertex *v = w->layout->vertices;
    for (int row = 0; row < rows; row++)
        for (int i = w->start[row]; i < w->start[row + 1]; i++)
            v[w->vertices[i]].at = i - w->start[row];
    for (int sweep = 0; sweep < ORDER_SWEEPS; sweep++) {
        const bool down = sweep % 2 == 0;
        for (int r = 0; r < rows; r++) {
            const int row = down ? r : rows - 1 - r;
            for (int i = w->start[row]; i < w->start[row + 1]; i++)
                v[w->vertices[i]].wish = neighbours_mean(w, w->vertices[i], down);
            sort_row(w, row);
        }
    }
}

// ---- Places ----

static double middle(const block *b)
{
    return (b->least + b->most) / 2;
}

static void join(block *b, const block *other)
{
    b->length += other->length;
    if (b->boxes == other->boxes) {
        b->least = fmin(b->least, other->least);
        b->most = fmax(b->most, other->most);
    } else if (other->boxes) {
        b->least = other->least;
        b->most = other->most;
        b->boxes = true;
    }
}

// Places a row so that the greatest distance of a vertex to its wish is least, and neighbours keep
// theirs. With the distances taken off that is a regression to values that never fall: neighbours
// that are out of order are joined into blocks.
static void place_row(const work *w, int row)
{
    cj__vertex *v = w->layout->vertices;
    const int *list = w->vertices + w->start[row];
    const int count = w->start[row + 1] - w->start[row];
    double offset = 0;
    int blocks = 0;
    for (int i = 0; i < count; i++) {
        if (i > 0)
            offset += (v[list[i - 1]].width + v[list[i]].width) / 2.0 + CJ__PLOT_GAP;
        const double wish = v[list[i]].wish - offset;
        w->blocks[blocks++] = (block){wish, wish, 1, !v[list[i]].bend};
        for (; blocks > 1 && middle(&w->blocks[blocks - 2]) > middle(&w->blocks[blocks - 1]);
             blocks--)
            join(&w->blocks[blocks - 2], &w->blocks[blocks - 1]);
    }
    offset = 0;
    for (int b = 0, i = 0; b < blocks; b++) {
        for (int k = 0; k < w->blocks[b].length; k++, i++) {
            if (i > 0)
                offset += (v[list[i - 1]].width + v[list[i]].width) / 2.0 + CJ__PLOT_GAP;
            v[list[i]].at = middle(&w->blocks[b]) + offset;
        }
    }
}

static void choose_places(const work *w)
{
    const int rows = w->layout->row_count;
    cj__vertex *v = w->layout->vertices;
    for (int sweep = 0; sweep <= PLACE_SWEEPS; sweep++) {
        // In the second half both sides count; the last goes down, so that chains end up straight.
        const bool both = sweep >= PLACE_SWEEPS / 2 && sweep < PLACE_SWEEPS;
        for (int r = 0; r < rows; r++) {
            const bool down = sweep % 2 == 0;
            const int row = down ? r : rows - 1 - r;
            for (int i = w->start[row]; i < w->start[row + 1]; i++) {
                double one, other;
                const int vertex = w->vertices[i];
                const double above = neighbours_wish(w, vertex, down, &one);
                const double below = both ? neighbours_wish(w, vertex, !down, &other) : 0;
                v[vertex].wish = !both || one + other <= 0 ?
                                     above :
                                     (above * one + below * other) / (one + other);
            }
            place_row(w, row);
        }
    }
}

// Whole numbers from 0.
static void settle(cj__layout *l)
{
    double left = INFINITY, right = -INFINITY;
    for (int i = 0; i < l->vertex_count; i++) {
        left = fmin(left, l->vertices[i].at - l->vertices[i].width / 2.0);
        right = fmax(right, l->vertices[i].at + l->vertices[i].width / 2.0);
    }
    for (int i = 0; i < l->vertex_count; i++)
        l->vertices[i].x = (int)floor(l->vertices[i].at - left + 0.5);
    l->width = l->vertex_count > 0 ? (int)ceil(right - left) : 0;
}

cj_status cj__layout_place(cj__layout *layout)
{
    work w = {.layout = layout};
    choose_rows(layout);
    cj_status status = add_bends(layout);
    if (status == CJ_OK)
        status = make_rows(&w);
    if (status == CJ_OK)
        status = make_arcs(&w);
    if (status == CJ_OK) {
        choose_orders(&w);
        choose_places(&w);
        settle(layout);
    }
    void *const blocks[] = {w.start,       w.vertices,    w.above, w.below,
                            w.above_start, w.below_start, w.blocks};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        cj__free(blocks[i]);
    return status;
}
