// Nearest neighbours: see search.h.
#include "classic/search.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/threads.h"
#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    BLOCK_ROWS = 24,   // rows compared at a time: a multiple of every kernel's tile
    BATCH_PANELS = 16, // panels of a batch
    TASK_PANELS = 4,   // panels of a task
    CHUNKS_MAX = 16,   // chunks of the samples
    CHUNK_ROWS_MIN = 1024,
    HEAPS_MAX = 64 << 20, // bytes of heaps above which batches become smaller
    CENTRE_ROWS = 64,     // rows of a task
};

// The number of differences of elements from which work is shared between threads: some 20
// microseconds of one core.
static const double shared_from = 1e6;

static const cj__metric metrics[] = {
    {"l2", CJ__DISTANCE_u8_l2, CJ__DISTANCE_f32_l2, true},
    {"l1", CJ__DISTANCE_u8_l1, CJ__DISTANCE_f32_l1, false},
    {"euclidean", CJ__DISTANCE_u8_l2, CJ__DISTANCE_f32_l2, true},
    {"manhattan", CJ__DISTANCE_u8_l1, CJ__DISTANCE_f32_l1, false},
};

cj_status cj__metric_find(const char *name, const cj__metric **metric)
{
    const int count = (int)(sizeof metrics / sizeof *metrics);
    for (int i = 0; i < count; i++)
        if (!name || strcmp(name, metrics[i].name) == 0) {
            *metric = &metrics[i];
            return CJ_OK;
        }
    return cj__fail_unknown(CJ_INVALID_ARGUMENT, "metric", name, metrics, sizeof *metrics, count);
}

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

// Centred rows
// -------------------------------------------------------------------------------------------------

typedef struct centring {
    const cj__rows *samples;
    int64_t *centred;
} centring;

static void centre_task(void *context, int64_t begin, int64_t end)
{
    const centring *c = context;
    const int64_t first = begin * CENTRE_ROWS, last = min64(end * CENTRE_ROWS, c->samples->count);
    cj__distances_best()->centre(last - first, c->samples->width, cj__rows_at(c->samples, first),
                                 c->centred + first);
}

cj_status cj__centre_rows(const cj__rows *samples, const cj__metric *metric, cj_pool *pool,
                          int64_t **centred)
{
    *centred = NULL;
    if (!samples->bytes || metric->of_bytes != CJ__DISTANCE_u8_l2)
        return CJ_OK;
    centring context = {samples, cj__new((size_t)samples->count, sizeof **centred)};
    if (!context.centred)
        return CJ_OUT_OF_MEMORY;
    const int64_t tasks = ceil_div(samples->count, CENTRE_ROWS);
    const bool shared = (double)samples->count * (double)samples->width > shared_from;
    cj__parallel(pool, tasks, shared ? 1 : tasks, centre_task, &context);
    *centred = context.centred;
    return CJ_OK;
}

// Positions among the samples to search
// ------------------------------------------------------------

int64_t cj__among_count(const cj__among *among)
{
    return among->samples->count - (among->skip_end - among->skip_begin);
}

// The sample at a position. *count is lowered to the number of samples that follow without a gap.
static int64_t sample_at(const cj__among *among, int64_t position, int64_t *count)
{
    if (position >= among->skip_begin)
        return position + among->skip_end - among->skip_begin;
    *count = min64(*count, among->skip_begin - position);
    return position;
}

static int64_t chunk_begin(const cj__search *s, int64_t chunk)
{
    return cj__among_count(&s->among) * chunk / s->chunks;
}

// Keeping the nearest
// -------------------------------------------------------------------------------------------------

// A task's state for one panel: the heaps of its queries, all of one size, and for each the distance
// that a new neighbour must be below.
typedef struct kept {
    cj__neighbor *heaps; // (count, keep)
    int64_t count, size, keep;
    double threshold[CJ__PANEL]; // NaN while there is room
} kept;

static void keep_one(kept *k, int64_t query, cj__neighbor one)
{
    cj__neighbor *heap = k->heaps + query * k->keep;
    if (k->size < k->keep)
        cj__heap_add(heap, k->size, one);
    else
        cj__heap_replace(heap, k->size, one);
    if (k->size >= k->keep - 1)
        k->threshold[query] = heap[0].distance;
}

// Rows come in ascending order, so a row at the distance of the farthest neighbour is not nearer.
// Thresholds only fall, so rows above those from before the block can be skipped.
static void keep_nearest(const cj__distances *table, kept *k, const double *distances, int64_t rows,
                         int64_t first_sample)
{
    uint8_t any[BLOCK_ROWS];
    table->any_below(rows, distances, k->threshold, any);
    for (int64_t j = 0; j < rows; j++, distances += CJ__PANEL) {
        if (!any[j])
            continue;
        for (int64_t i = 0; i < k->count; i++)
            if (!(distances[i] >= k->threshold[i]))
                keep_one(k, i, (cj__neighbor){distances[i], first_sample + j});
        k->size += k->size < k->keep;
    }
}

// Tasks
// -------------------------------------------------------------------------------------------------

static int64_t panel_count(const cj__search *s, int64_t panel)
{
    return min64(CJ__PANEL, s->count - panel * CJ__PANEL);
}

static void pack_task(void *context, int64_t begin, int64_t end)
{
    const cj__search *s = context;
    for (int64_t panel = begin; panel < end; panel++)
        s->kernel->pack(panel_count(s, panel), s->queries.width,
                        cj__rows_at(&s->queries, s->first + panel * CJ__PANEL),
                        s->panels + (size_t)panel * s->panel_size);
}

static void search_chunk(const cj__search *s, int64_t chunk, int64_t panel0, int64_t panel1)
{
    double distances[BLOCK_ROWS * CJ__PANEL];
    kept keeps[TASK_PANELS];
    const cj__rows *samples = s->among.samples;
    for (int64_t panel = panel0; panel < panel1; panel++) {
        kept *k = &keeps[panel - panel0];
        *k = (kept){s->heaps + (chunk * s->batch + panel * CJ__PANEL) * s->keep,
                    panel_count(s, panel),
                    0,
                    s->keep,
                    {0}};
        for (int i = 0; i < CJ__PANEL; i++)
            // no distance is below the threshold of an unused column
            k->threshold[i] = i < k->count ? (double)NAN : (double)-INFINITY;
    }
    const int64_t end = chunk_begin(s, chunk + 1);
    for (int64_t position = chunk_begin(s, chunk), rows; position < end; position += rows) {
        rows = min64(BLOCK_ROWS, end - position);
        const int64_t sample = sample_at(&s->among, position, &rows);
        const int64_t *centred = s->among.centred ? s->among.centred + sample : NULL;
        for (int64_t panel = panel0; panel < panel1; panel++) {
            s->kernel->run(panel_count(s, panel), rows, samples->width,
                           s->panels + (size_t)panel * s->panel_size, cj__rows_at(samples, sample),
                           centred, distances);
            keep_nearest(s->table, &keeps[panel - panel0], distances, rows, sample);
        }
    }
}

static int64_t panel_groups(const cj__search *s)
{
    return ceil_div(ceil_div(s->count, CJ__PANEL), TASK_PANELS);
}

static void search_task(void *context, int64_t begin, int64_t end)
{
    const cj__search *s = context;
    const int64_t groups = panel_groups(s), panels = ceil_div(s->count, CJ__PANEL);
    for (int64_t task = begin; task < end; task++) {
        const int64_t panel = task % groups * TASK_PANELS;
        search_chunk(s, task / groups, panel, min64(panel + TASK_PANELS, panels));
    }
}

// Merges the heaps of all chunks into the k nearest, sorted.
static void merge_query(const cj__search *s, int64_t query)
{
    cj__neighbor *best = s->best + query * s->k;
    int64_t size = 0;
    for (int64_t chunk = 0; chunk < s->chunks; chunk++) {
        const cj__neighbor *heap = s->heaps + (chunk * s->batch + query) * s->keep;
        const int64_t kept_count =
            min64(s->keep, chunk_begin(s, chunk + 1) - chunk_begin(s, chunk));
        for (int64_t i = 0; i < kept_count; i++) {
            if (size < s->k)
                cj__heap_add(best, size++, heap[i]);
            else if (cj__nearer(heap[i], best[0]))
                cj__heap_replace(best, size, heap[i]);
        }
    }
    cj__heap_sort(best, size);
    for (int64_t i = 0; i < size && s->among.metric->is_root; i++)
        best[i].distance = sqrt(best[i].distance);
}

static void merge_task(void *context, int64_t begin, int64_t end)
{
    for (int64_t query = begin; query < end; query++)
        merge_query(context, query);
}

// Searches
// -------------------------------------------------------------------------------------------------

// Divides the work into chunks and batches by the shape alone, so that the number of threads does
// not matter.
static void divide(cj__search *s)
{
    const int64_t samples = cj__among_count(&s->among);
    s->chunks = max64(min64(samples / CHUNK_ROWS_MIN, CHUNKS_MAX), 1);
    s->keep = min64(s->k, ceil_div(samples, s->chunks));
    const int64_t panel_heaps = s->chunks * CJ__PANEL * (int64_t)sizeof(cj__neighbor);
    const int64_t max_panels = max64(HEAPS_MAX / panel_heaps / s->keep, 1);
    s->batch =
        min64(ceil_div(s->queries.count, CJ__PANEL), min64(BATCH_PANELS, max_panels)) * CJ__PANEL;
}

cj_status cj__search_open(cj__search *search, const cj__among *among, const cj__rows *queries,
                          int64_t k, cj_pool *pool)
{
    assert(queries->width == among->samples->width && queries->bytes == among->samples->bytes);
    assert(k >= 1 && k <= cj__among_count(among));
    *search = (cj__search){.among = *among, .queries = *queries, .k = k, .pool = pool};
    divide(search);
    search->table = cj__distances_best();
    search->kernel =
        &search->table->of[queries->bytes ? among->metric->of_bytes : among->metric->of_floats];
    search->panel_size = cj__align_up_64(search->kernel->panel_size(queries->width));
    search->panels_size = search->panel_size * (size_t)(search->batch / CJ__PANEL);
    search->panels = cj__new_aligned(search->panels_size, 1);
    search->heaps = cj__new((size_t)(search->chunks * search->batch),
                            (size_t)search->keep * sizeof *search->heaps);
    search->best = cj__new((size_t)search->batch, (size_t)k * sizeof *search->best);
    if (search->panels && search->heaps && search->best)
        return CJ_OK;
    cj__search_close(search);
    return CJ_OUT_OF_MEMORY;
}

bool cj__search_next(cj__search *search)
{
    search->first += search->count;
    search->count = min64(search->batch, search->queries.count - search->first);
    if (search->count <= 0)
        return false;
    const int64_t panels = ceil_div(search->count, CJ__PANEL),
                  tasks = search->chunks * panel_groups(search);
    const double work = (double)search->count * (double)cj__among_count(&search->among) *
                        (double)search->queries.width;
    const bool shared = work > shared_from;
    cj__parallel(search->pool, panels, shared ? 1 : panels, pack_task, search);
    cj__parallel(search->pool, tasks, shared ? 1 : tasks, search_task, search);
    cj__parallel(search->pool, search->count, shared ? CJ__PANEL : search->count, merge_task,
                 search);
    return true;
}

void cj__search_close(cj__search *search)
{
    cj__free_aligned(search->panels, search->panels_size);
    cj__free(search->heaps);
    cj__free(search->best);
    *search = (cj__search){0};
}
