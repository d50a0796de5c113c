// Attention: the scores of one query with every key, the masks, the softmax of the scores, and the
// values added up by these weights. Attention and AdditiveAttention have one head; of
// MultiHeadAttention and GroupQueryAttention each head is derived from the projections, which are
// layers and explained by themselves, and then the product with the output's kernel.
#include "explain/explain.h"
#include <cajal/attention.h>
#include <math.h>
#include <string.h>

// Rows of a head: (batch, rows, heads, width) or (batch, rows, width), of one sample.
typedef struct rows {
    const cj_tensor *tensor;
    int64_t base, heads, head, width;
} rows;

static double at(const rows *r, int64_t row, int64_t feature)
{
    return cj__element_at(r->tensor, r->base + (row * r->heads + r->head) * r->width + feature);
}

typedef enum scoring { PRODUCTS, CONCATENATED, ADDITIVE } scoring;

// One query against all keys.
typedef struct attending {
    const cj__explanation *explanation;
    rows q, k, v;
    int64_t query, keys;
    scoring scoring;
    double scale, factor;    // of the products or sums; of the whole score
    const cj_tensor *scales; // one for each feature (ADDITIVE); NULL for 1
    bool zero_if_masked;     // a query without any key gets zeros, not the mean of all values
    double *seen;            // 1 or 0 for each key: whether masks leave it
    double *score, *bound;   // of each key, and the bound of float32's error
    double *weight, *error;  // likewise, after the softmax
    double *left, *right;    // factors of what is shown: of each feature or key
} attending;

static bool take_memory(attending *a)
{
    const int64_t longest = a->keys > a->q.width ? a->keys : a->q.width;
    double *buffer = cj__new((size_t)(5 * a->keys + 2 * longest), sizeof *buffer);
    if (!buffer)
        return false;
    a->seen = buffer;
    a->score = a->seen + a->keys;
    a->bound = a->score + a->keys;
    a->weight = a->bound + a->keys;
    a->error = a->weight + a->keys;
    a->left = a->error + a->keys;
    a->right = a->left + longest;
    for (int64_t j = 0; j < a->keys; j++)
        a->seen[j] = 1;
    return true;
}

// The factors of the terms of a score: query and key, or their scale and tanh(query + key).
static void fill_terms(const attending *a, int64_t key)
{
    for (int64_t d = 0; d < a->q.width; d++) {
        const double q = at(&a->q, a->query, d), k = at(&a->k, key, d);
        if (a->scoring == PRODUCTS) {
            a->left[d] = q;
            a->right[d] = k;
        } else {
            a->left[d] = a->scales ? cj__element_at(a->scales, d) : 1;
            a->right[d] = tanh(a->scoring == CONCATENATED ? a->scale * (q + k) : q + k);
        }
    }
}

static void take_score(const attending *a, int64_t key)
{
    const double by = a->scoring == PRODUCTS ? a->scale * a->factor : a->factor;
    double sum = 0, magnitude = 0;
    fill_terms(a, key);
    for (int64_t d = 0; d < a->q.width; d++) {
        sum += a->left[d] * a->right[d];
        magnitude += fabs(a->left[d] * a->right[d]);
    }
    a->score[key] = by * sum;
    a->bound[key] = cj__rounding_bound(fabs(by) * magnitude);
}

// The softmax of the scores that are not masked. An error e of all scores changes a weight by a
// factor of at most exp(2 e).
static void weigh(const attending *a)
{
    double largest = -INFINITY, sum = 0, worst = 0;
    for (int64_t j = 0; j < a->keys; j++) {
        take_score(a, j);
        if (a->seen[j] > 0) {
            largest = fmax(largest, a->score[j]);
            worst = fmax(worst, a->bound[j] + cj__rounding_bound(fabs(a->score[j])));
        }
    }
    for (int64_t j = 0; j < a->keys; j++)
        sum += a->weight[j] = a->seen[j] > 0 ? exp(a->score[j] - largest) : 0;
    for (int64_t j = 0; j < a->keys; j++) {
        if (sum > 0)
            a->weight[j] /= sum;
        else
            a->weight[j] = a->zero_if_masked ? 0 : 1 / (double)a->keys;
        a->error[j] = a->weight[j] * expm1(2 * worst) + cj__rounding_bound(a->weight[j]);
    }
}

// The sum over keys of weight and value, for one feature of the values.
static double attend(const attending *a, int64_t feature, double *bound)
{
    double sum = 0, magnitude = 0, carried = 0;
    for (int64_t j = 0; j < a->keys; j++) {
        const double value = at(&a->v, j, feature);
        a->left[j] = a->weight[j];
        a->right[j] = value;
        sum += a->weight[j] * value;
        magnitude += fabs(a->weight[j] * value);
        carried += a->error[j] * fabs(value);
    }
    *bound = carried + cj__rounding_bound(magnitude);
    return sum;
}

static int64_t best_key(const attending *a)
{
    int64_t best = 0;
    for (int64_t j = 1; j < a->keys; j++)
        if (a->weight[j] > a->weight[best])
            best = j;
    return best;
}

// The terms of the score of the key with the largest weight, then all scores and weights.
static cj_status show_weights(const attending *a)
{
    char text[3][CJ__DIGITS_TEXT];
    double sum = 0, magnitude = 0;
    const int64_t best = best_key(a), most = a->explanation->max_rows;
    const double by = a->scoring == PRODUCTS ? a->scale * a->factor : a->factor;
    fill_terms(a, best);
    cj__print_line(a->explanation, "score of query %lld with key %lld:", (long long)a->query,
                   (long long)best);
    const cj__products products = {a->scoring == PRODUCTS ? "query" : "scale",
                                   a->scoring == PRODUCTS ? "key" : "tanh(query + key)", a->left,
                                   a->right, a->q.width};
    CJ_TRY(cj__show_products(a->explanation, &products, &sum, &magnitude));
    if (fabs(by - 1) > 0)
        cj__print_line(a->explanation, "%s × %s = %s", cj__digits(by, text[0]),
                       cj__digits(sum, text[1]), cj__digits(by * sum, text[2]));
    cj__print_line(a->explanation, "scores of all keys, and their softmax:");
    for (int64_t j = 0; j < a->keys && j < most; j++)
        if (a->seen[j] > 0)
            cj__print_line(a->explanation, "  key %lld: %s, weight %s", (long long)j,
                           cj__digits(a->score[j], text[0]), cj__digits(a->weight[j], text[1]));
        else
            cj__print_line(a->explanation, "  key %lld: masked, weight %s", (long long)j,
                           cj__digits(a->weight[j], text[0]));
    if (a->keys > most)
        cj__print_line(a->explanation, "  and %lld more keys", (long long)(a->keys - most));
    return CJ_OK;
}

static cj_status show_sum(const attending *a, int64_t feature, double *value, double *bound)
{
    double sum = 0, magnitude = 0;
    *value = attend(a, feature, bound);
    cj__print_line(a->explanation,
                   "entry %lld of the values by these weights:", (long long)feature);
    const cj__products products = {"weight", "value", a->left, a->right, a->keys};
    return cj__show_products(a->explanation, &products, &sum, &magnitude);
}

static void hide_masked(const attending *a, const cj_tensor *mask, bool causal)
{
    for (int64_t j = 0; j < a->keys; j++) {
        if (mask && !(cj__element_at(mask, j) > 0))
            a->seen[j] = 0;
        if (causal && j > a->query)
            a->seen[j] = 0;
    }
}

// One head
// -----------------------------------------------------------------------------------------------

static double scalar_of(const cj__record *record, const char *name)
{
    const cj_tensor *weight = cj__weight(record, name);
    return weight ? cj__element_at(weight, 0) : 1;
}

static cj_status explain_single(const cj__explanation *explanation, attending *a)
{
    const cj__record *record = explanation->record;
    const bool causal = cj__call_setting_in(record->layer->kind, record->called, "use_causal_mask");
    double value, bound;
    if (record->masks[0] && !(cj__element_at(record->masks[0], a->query) > 0)) {
        cj__print_line(explanation, "query %lld is masked: 0", (long long)a->query);
        return cj__conclude(explanation, 0, 0);
    }
    if (!take_memory(a))
        return CJ_OUT_OF_MEMORY;
    hide_masked(a, record->masks[1], causal);
    weigh(a);
    cj_status status = show_weights(a);
    if (status == CJ_OK)
        status = show_sum(a, explanation->index[2], &value, &bound);
    cj__free(a->seen);
    return status == CJ_OK ? cj__conclude(explanation, value - bound, value + bound) : status;
}

static rows rows_of(const cj_tensor *tensor)
{
    return (rows){tensor, 0, 1, 0, cj_tensor_shape(tensor)->dims[2]};
}

static attending attending_of(const cj__explanation *explanation, scoring how)
{
    cj_tensor *const *inputs = explanation->record->inputs;
    return (attending){.explanation = explanation,
                       .q = rows_of(inputs[0]),
                       .v = rows_of(inputs[1]),
                       .k = rows_of(inputs[explanation->record->input_count > 2 ? 2 : 1]),
                       .query = explanation->index[1],
                       .keys = cj_tensor_shape(inputs[1])->dims[1],
                       .scoring = how,
                       .scale = 1,
                       .factor = 1};
}

cj_status cj__explain_attention(cj__explanation *explanation)
{
    const cj__record *record = explanation->record;
    const bool concat = cj__is_setting(record->layer, "score_mode", "concat");
    attending a = attending_of(explanation, concat ? CONCATENATED : PRODUCTS);
    a.scale = scalar_of(record, "scale");
    a.factor = scalar_of(record, "concat_score_weight");
    return explain_single(explanation, &a);
}

cj_status cj__explain_additive_attention(cj__explanation *explanation)
{
    attending a = attending_of(explanation, ADDITIVE);
    a.scales = cj__weight(explanation->record, "scale");
    return explain_single(explanation, &a);
}

// Several heads
// -----------------------------------------------------------------------------------------------

typedef struct heads {
    const cj__explanation *explanation;
    attending a;
    const cj__record *query, *key, *value, *gate, *output; // the projections; gate may be NULL
    int64_t count, width, queries, entries; // heads, a head's values, queries, of an output
    double *attended, *bound, *column;      // of all heads one after another
} heads;

static const cj__record *projection(const cj__explanation *explanation, const char *name)
{
    cj_layer *const *children;
    const cj__record *found = NULL;
    const int count = cj__layer_children(explanation->record->layer, &children);
    for (int i = 0; i < count; i++)
        if (strcmp(cj_layer_name(children[i]), name) == 0)
            cj__records_of(explanation, children[i], &found, 1);
    return found;
}

// Output (batch, sequence..., heads, width) of a projection, the explained sample's.
static rows rows_of_head(const cj__explanation *explanation, const cj__record *record)
{
    const cj_shape *s = cj_tensor_shape(record->outputs[0]);
    const int64_t one = cj_tensor_count(record->outputs[0]) / s->dims[0];
    return (rows){.tensor = record->outputs[0],
                  .base = explanation->sample * one,
                  .heads = s->dims[s->rank - 2],
                  .width = s->dims[s->rank - 1]};
}

static int64_t length_of(const cj__record *record)
{
    const cj_shape *s = cj_tensor_shape(record->outputs[0]);
    return cj_tensor_count(record->outputs[0]) /
           (s->dims[0] * s->dims[s->rank - 2] * s->dims[s->rank - 1]);
}

// Whether the mask that was given lets the query see the key: (1, t, s) or (1, h, t, s), any length
// of which may be 1.
static bool is_given(const cj_tensor *mask, int64_t head, int64_t query, int64_t key)
{
    const cj_shape *s = cj_tensor_shape(mask);
    const int64_t *last = s->dims + s->rank - 2;
    const int64_t row = last[0] == 1 ? 0 : query, column = last[1] == 1 ? 0 : key,
                  of = s->rank == 4 && s->dims[1] > 1 ? head : 0;
    const double value = cj__element_at(mask, (of * last[0] + row) * last[1] + column);
    return value < 0 || value > 0;
}

static void hide_of_head(const heads *h, int64_t head)
{
    const cj__record *record = h->explanation->record;
    const int64_t *window = cj__layer_setting(record->layer, "sliding_window");
    const bool causal = cj__call_setting_in(record->layer->kind, record->called, "use_causal_mask"),
               hidden = record->masks[0] && !(cj__element_at(record->masks[0], h->a.query) > 0);
    for (int64_t j = 0; j < h->a.keys; j++)
        h->a.seen[j] = !hidden;
    hide_masked(&h->a, record->masks[1], causal);
    hide_masked(&h->a, record->input_count > 2 ? record->masks[2] : NULL, false);
    for (int64_t j = 0; j < h->a.keys; j++) {
        if (*window > 0 && (j - h->a.query >= *window || h->a.query - j >= *window))
            h->a.seen[j] = 0;
        if (record->input_count > 3 && !is_given(record->inputs[3], head, h->a.query, j))
            h->a.seen[j] = 0;
    }
}

// A number that the layer rounds, and its bound.
static void round_number(const cj_layer *layer, double *value, double *bound)
{
    const double low = cj__as_output(layer, *value - *bound),
                 high = cj__as_output(layer, *value + *bound);
    if (!layer->mixed)
        return;
    *value = cj__as_output(layer, *value);
    *bound = fmax(high - *value, *value - low);
}

static cj_status derive_head(heads *h, int64_t head, bool show)
{
    const cj_layer *layer = h->explanation->record->layer;
    attending *a = &h->a;
    const rows gate = h->gate ? rows_of_head(h->explanation, h->gate) : (rows){0};
    a->q.head = head;
    a->k.head = a->v.head = head / (a->q.heads / a->k.heads);
    hide_of_head(h, head);
    weigh(a);
    if (show) {
        cj__print_line(h->explanation, "head %lld of %lld:", (long long)head, (long long)h->count);
        CJ_TRY(show_weights(a));
    }
    for (int64_t e = 0; e < h->width; e++) {
        double *value = &h->attended[head * h->width + e], *bound = &h->bound[head * h->width + e];
        if (show && e == 0)
            CJ_TRY(show_sum(a, e, value, bound));
        else
            *value = attend(a, e, bound);
        round_number(layer, value, bound);
        if (!h->gate)
            continue;
        const rows own = {gate.tensor, gate.base, gate.heads, head, gate.width};
        const double by = at(&own, a->query, e);
        *value *= by;
        *bound = *bound * fabs(by) + cj__rounding_bound(fabs(*value));
        round_number(layer, value, bound);
    }
    return CJ_OK;
}

// y[u] = sum over heads and their entries of attended W[.., u] + b[u]
static cj_status conclude_heads(const heads *h, int64_t entry)
{
    const cj_tensor *kernel = cj__weight(h->output, "kernel"),
                    *bias = cj__weight(h->output, "bias");
    const int64_t count = h->count * h->width;
    double sum = 0, magnitude = 0, carried = 0;
    char text[CJ__DIGITS_TEXT], total[CJ__DIGITS_TEXT];
    for (int64_t i = 0; i < count; i++) {
        h->column[i] = cj__element_at(kernel, i * h->entries + entry);
        carried += h->bound[i] * fabs(h->column[i]);
    }
    cj__print_line(h->explanation,
                   h->gate ?
                       "all heads, times their gates, times column %lld of the output's kernel:" :
                       "all heads, times column %lld of the output's kernel:",
                   (long long)entry);
    const cj__products products = {"attended", "kernel", h->attended, h->column, count};
    CJ_TRY(cj__show_products(h->explanation, &products, &sum, &magnitude));
    if (bias) {
        const double b = cj__element_at(bias, entry);
        sum += b;
        magnitude += fabs(b);
        cj__print_line(h->explanation, "+ bias %s = %s", cj__digits(b, text),
                       cj__digits(sum, total));
    }
    const double bound = carried + cj__rounding_bound(magnitude);
    return cj__conclude(h->explanation, sum - bound, sum + bound);
}

static cj_status explain_all(heads *h)
{
    const int64_t count = h->count * h->width;
    h->attended = cj__new((size_t)(3 * count), sizeof *h->attended);
    cj_status status = h->attended && take_memory(&h->a) ? CJ_OK : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK) {
        h->bound = h->attended + count;
        h->column = h->bound + count;
    }
    for (int64_t head = 0; status == CJ_OK && head < h->count; head++)
        status = derive_head(h, head, head == 0);
    if (status == CJ_OK && h->count > 1)
        cj__print_line(h->explanation, "the other heads likewise");
    if (status == CJ_OK)
        status = conclude_heads(h, h->explanation->offset % h->entries);
    cj__free(h->a.seen);
    cj__free(h->attended);
    return status;
}

cj_status cj__explain_heads(cj__explanation *explanation)
{
    const cj__record *record = explanation->record;
    const double *dropout = cj__layer_setting(record->layer, "dropout");
    heads h = {.explanation = explanation,
               .query = projection(explanation, "query"),
               .key = projection(explanation, "key"),
               .value = projection(explanation, "value"),
               .gate = projection(explanation, "gate"),
               .output = projection(explanation, "attention_output")};
    const cj_shape *query = cj_tensor_shape(record->inputs[0]);
    const int64_t *named = cj__layer_setting(record->layer, "attention_axes");
    int count = 0;
    while (named && count < CJ_MAX_RANK && named[count] != 0)
        count++;
    if (count != 0 && count != query->rank - 2) {
        cj__print_line(explanation, "attention over some of its axes is not explained yet");
        return CJ_OK;
    }
    if (!h.query || !h.key || !h.value || !h.output)
        return cj__fail(CJ_UNSUPPORTED, "explain: %s: its projections were not computed",
                        cj_layer_name(record->layer));
    h.a = (attending){.explanation = explanation,
                      .q = rows_of_head(explanation, h.query),
                      .k = rows_of_head(explanation, h.key),
                      .v = rows_of_head(explanation, h.value),
                      .factor = 1,
                      .keys = length_of(h.key)};
    h.a.scale = 1 / sqrt((double)h.a.q.width);
    h.a.zero_if_masked =
        *dropout > 0 ||
        cj__call_setting_in(record->layer->kind, record->called, "return_attention_scores") ||
        cj_tensor_shape(record->inputs[0])->rank > 3;
    h.queries = length_of(h.query);
    h.count = h.a.q.heads;
    h.width = h.a.v.width;
    h.entries = cj_tensor_count(record->outputs[0]) / h.queries;
    h.a.query = explanation->offset / h.entries;
    return explain_all(&h);
}
