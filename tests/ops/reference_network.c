// See reference.h: products, convolutions, pools, softmax and losses, picking.
#include "reference.h"

#include "base/random.h"

#include <math.h>
#include <string.h>

static int64_t dim(const cj_tensor *t, int axis)
{
    const cj_shape *s = cj_tensor_shape(t);
    return s->dims[axis < 0 ? s->rank + axis : axis];
}

// Element (a, b, c, d) of four axes.
static int64_t at4(const cj_tensor *t, int64_t a, int64_t b, int64_t c, int64_t d)
{
    return ((a * dim(t, 1) + b) * dim(t, 2) + c) * dim(t, 3) + d;
}

static double act(cj__unary function, double x)
{
    return function == CJ__UNARY_relu    ? fmax(x, 0) :
           function == CJ__UNARY_tanh    ? tanh(x) :
           function == CJ__UNARY_sigmoid ? 1 / (1 + exp(-x)) :
                                           x;
}

// Both operands as matrices: leading axes are rows.
static void ref_matmul(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__matmul_attrs *m = c->attrs;
    const int64_t ca = dim(in[0], -1), cb = dim(in[1], -1), n = dim(out[0], -1);
    const int64_t k = m->trans_a ? cj_tensor_count(in[0]) / ca : ca;
    for (int64_t i = 0; i < cj_tensor_count(out[0]) / n; i++) {
        for (int64_t j = 0; j < n; j++) {
            double sum = c->input_count == 3 ? case_get(in[2], j) : 0;
            for (int64_t p = 0; p < k; p++)
                sum += case_get(in[0], m->trans_a ? p * ca + i : i * ca + p) *
                       case_get(in[1], m->trans_b ? j * cb + p : p * cb + j);
            case_set(out[0], i * n + j, c->op == &cj__op_matmul ? sum : act(m->epilogue.act, sum));
        }
    }
}

// Every combination of all letters, one after another.
static void ref_einsum(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__einsum_attrs *e = c->attrs;
    const char *const letters[3] = {e->a, e->b, e->y};
    const cj_tensor *const operands[3] = {in[0], in[1], out[0]};
    char all[2 * CJ_MAX_RANK + 1] = {0};
    int64_t lengths[2 * CJ_MAX_RANK], total = 1;
    for (int k = 0; k < 2; k++)
        for (int i = 0; letters[k][i]; i++)
            if (!strchr(all, letters[k][i])) {
                const size_t at = strlen(all);
                all[at] = letters[k][i];
                total *= lengths[at] = dim(operands[k], i);
            }
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++)
        case_set(out[0], i, 0);
    for (int64_t number = 0; number < total; number++) {
        int64_t at[3] = {0}, index[2 * CJ_MAX_RANK], rest = number;
        for (size_t i = 0; i < strlen(all); i++, rest /= lengths[i - 1])
            index[i] = rest % lengths[i];
        for (int k = 0; k < 3; k++)
            for (int i = 0; letters[k][i]; i++)
                at[k] = at[k] * dim(operands[k], i) + index[strchr(all, letters[k][i]) - all];
        case_set(out[0], at[2],
                 case_get(out[0], at[2]) + case_get(in[0], at[0]) * case_get(in[1], at[1]));
    }
}

// The scores that a query sees, as softmax makes them; whether it sees each.
static void scores_of(const op_case *c, cj_tensor *const *in, const cj_tensor *mask, int64_t image,
                      int64_t head, int64_t query, double *p, bool *seen)
{
    const cj__attention_attrs *a = c->attrs;
    const int64_t keys = dim(in[1], 1), key_head = head * dim(in[1], 2) / dim(in[0], 2);
    double top = -INFINITY, sum = 0;
    for (int64_t j = 0; j < keys; j++) {
        seen[j] = !(a->causal && j > query);
        if (mask)
            seen[j] = seen[j] && case_get(mask, at4(mask, dim(mask, 0) == 1 ? 0 : image,
                                                    dim(mask, 1) == 1 ? 0 : head,
                                                    dim(mask, 2) == 1 ? 0 : query,
                                                    dim(mask, 3) == 1 ? 0 : j)) != 0;
        p[j] = 0;
        for (int64_t d = 0; d < dim(in[0], 3); d++)
            p[j] += a->scale * case_get(in[0], at4(in[0], image, query, head, d)) *
                    case_get(in[1], at4(in[1], image, j, key_head, d));
        p[j] = seen[j] ? p[j] : -1e9;
        top = fmax(top, p[j]);
    }
    for (int64_t j = 0; j < keys; j++)
        sum += p[j] = exp(p[j] - top);
    for (int64_t j = 0; j < keys; j++)
        p[j] /= sum;
}

static void add_to(cj_tensor *t, int64_t at, double x)
{
    case_set(t, at, case_get(t, at) + x);
}

enum { KEYS_MOST = 1024 };

static void ref_attention(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    double p[KEYS_MOST];
    bool seen[KEYS_MOST];
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++) {
        const int64_t e = i % dim(out[0], 3), row = i / dim(out[0], 3), head = row % dim(out[0], 2),
                      query = row / dim(out[0], 2) % dim(out[0], 1),
                      image = row / dim(out[0], 2) / dim(out[0], 1);
        double y = 0;
        scores_of(c, in, c->input_count == 4 ? in[3] : NULL, image, head, query, p, seen);
        for (int64_t j = 0; j < dim(in[1], 1); j++)
            y += p[j] *
                 case_get(in[2], at4(in[2], image, j, head * dim(in[1], 2) / dim(in[0], 2), e));
        case_set(out[0], i, y);
    }
}

static void ref_attention_grad(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__attention_attrs *a = c->attrs;
    const int64_t keys = dim(in[1], 1), heads = dim(in[0], 2);
    double p[KEYS_MOST], ds[KEYS_MOST];
    bool seen[KEYS_MOST];
    for (int k = 0; k < 3; k++)
        for (int64_t i = 0; i < cj_tensor_count(out[k]); i++)
            case_set(out[k], i, 0);
    for (int64_t row = 0; row < dim(in[0], 0) * dim(in[0], 1) * heads; row++) {
        const int64_t head = row % heads, query = row / heads % dim(in[0], 1),
                      image = row / heads / dim(in[0], 1), key_head = head * dim(in[1], 2) / heads;
        double mean = 0;
        scores_of(c, in, c->input_count == 5 ? in[4] : NULL, image, head, query, p, seen);
        for (int64_t j = 0; j < keys; j++) {
            ds[j] = 0;
            for (int64_t e = 0; e < dim(in[2], 3); e++) {
                const double dy = case_get(in[3], at4(in[3], image, query, head, e));
                ds[j] += dy * case_get(in[2], at4(in[2], image, j, key_head, e));
                add_to(out[2], at4(out[2], image, j, key_head, e), p[j] * dy);
            }
            mean += p[j] * ds[j];
        }
        for (int64_t j = 0; j < keys; j++) {
            ds[j] = seen[j] ? a->scale * p[j] * (ds[j] - mean) : 0;
            for (int64_t d = 0; d < dim(in[0], 3); d++) {
                const int64_t q = at4(in[0], image, query, head, d),
                              k = at4(in[1], image, j, key_head, d);
                add_to(out[0], q, ds[j] * case_get(in[1], k));
                add_to(out[1], k, ds[j] * case_get(in[0], q));
            }
        }
    }
}

static void ref_noise(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__noise_attrs *a = c->attrs;
    const uint64_t step = (uint64_t)case_get(in[1], 0);
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++) {
        const double r = c->op == &cj__op_random_normal ?
                             cj__random_normal(a->key, step, (uint64_t)i) :
                             cj__random_uniform(a->key, step, (uint64_t)i);
        case_set(out[0], i, a->offset + a->scale * r);
    }
}

static void ref_relu_dropout_grad(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const double rate = ((const cj__dropout_attrs *)c->attrs)->rate;
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++)
        case_set(out[0], i,
                 case_get(in[0], i) > 0 && rate < 1 ? case_get(in[1], i) / (1 - rate) : 0);
}

// Padding before the first element: TensorFlow's rule for "same".
static int64_t before(int64_t n, int64_t size, int64_t stride, int64_t dilation, bool same)
{
    const int64_t count = (n + stride - 1) / stride,
                  missing = (count - 1) * stride + (size - 1) * dilation + 1 - n;
    return same && missing > 0 ? missing / 2 : 0;
}

// One element of y without the bias.
static double conv_at(const cj__conv2d_attrs *a, cj_tensor *const *in, int64_t n, int64_t i,
                      int64_t j, int64_t f)
{
    const cj_tensor *x = in[0], *w = in[1];
    const int64_t h = dim(x, 1), width = dim(x, 2), channels = dim(w, 2),
                  group = f / (dim(w, 3) / a->groups);
    const int64_t top = a->before[0] + before(h, dim(w, 0), a->strides[0], a->dilation[0], a->same);
    const int64_t left =
        a->before[1] + before(width, dim(w, 1), a->strides[1], a->dilation[1], a->same);
    double sum = 0;
    for (int64_t u = 0; u < dim(w, 0); u++) {
        for (int64_t v = 0; v < dim(w, 1); v++) {
            const int64_t r = i * a->strides[0] + u * a->dilation[0] - top;
            const int64_t s = j * a->strides[1] + v * a->dilation[1] - left;
            for (int64_t k = 0; k < channels && r >= 0 && r < h && s >= 0 && s < width; k++)
                sum += case_get(x, at4(x, n, r, s, group * channels + k)) *
                       case_get(w, at4(w, u, v, k, f));
        }
    }
    return sum;
}

static void ref_conv2d(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__conv2d_attrs *a = c->attrs;
    int64_t to = 0;
    for (int64_t n = 0; n < dim(out[0], 0); n++)
        for (int64_t i = 0; i < dim(out[0], 1); i++)
            for (int64_t j = 0; j < dim(out[0], 2); j++)
                for (int64_t f = 0; f < dim(out[0], 3); f++) {
                    const double sum =
                        conv_at(a, in, n, i, j, f) + (c->input_count == 3 ? case_get(in[2], f) : 0);
                    case_set(out[0], to++,
                             c->op == &cj__op_conv2d ? sum : act(a->chosen.epilogue.act, sum));
                }
}

// Each element of x, times the filters, is added to where its window lies in y.
static void ref_conv2d_transpose(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__conv2d_attrs *a = c->attrs;
    const cj_tensor *w = in[0], *x = in[1];
    const int64_t filters = dim(x, 3) / a->groups, depth = dim(w, 2);
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++)
        case_set(out[0], i, 0);
    for (int64_t at = 0; at < cj_tensor_count(x) * dim(w, 0) * dim(w, 1) * depth; at++) {
        const int64_t k = at % depth, v = at / depth % dim(w, 1),
                      u = at / depth / dim(w, 1) % dim(w, 0),
                      from = at / depth / dim(w, 1) / dim(w, 0);
        const int64_t f = from % dim(x, 3), j = from / dim(x, 3) % dim(x, 2),
                      i = from / dim(x, 3) / dim(x, 2) % dim(x, 1),
                      n = from / dim(x, 3) / dim(x, 2) / dim(x, 1);
        const int64_t row = i * a->strides[0] + u * a->dilation[0] - a->before[0],
                      col = j * a->strides[1] + v * a->dilation[1] - a->before[1];
        if (row < 0 || row >= dim(out[0], 1) || col < 0 || col >= dim(out[0], 2))
            continue;
        const int64_t to = at4(out[0], n, row, col, f / filters * depth + k);
        case_set(out[0], to,
                 case_get(out[0], to) + case_get(x, from) * case_get(w, at4(w, u, v, k, f)));
    }
    for (int64_t i = 0; c->op->epilogue && i < cj_tensor_count(out[0]); i++) {
        const double bias = c->input_count == 3 ? case_get(in[2], i % dim(out[0], 3)) : 0;
        case_set(out[0], i, act(a->chosen.epilogue.act, case_get(out[0], i) + bias));
    }
}

// Element (a, b, c, d, e) of five axes.
static int64_t at5(const cj_tensor *t, const int64_t *at)
{
    int64_t index = 0;
    for (int i = 0; i < 5; i++)
        index = index * dim(t, i) + at[i];
    return index;
}

// Every product of an element of the volume, a filter's element and where they meet: forward adds
// x w to y, the transposed convolution y w to x.
static void ref_conv3d(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__conv3d_attrs *a = c->attrs;
    const bool is_forward = c->op->planes->kind == CJ__CONV2D_FORWARD;
    const cj_tensor *x = is_forward ? in[0] : out[0], *w = is_forward ? in[1] : in[0],
                    *y = is_forward ? out[0] : in[1];
    const int64_t filters = dim(w, 4) / a->groups;
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++)
        case_set(out[0], i, 0);
    for (int64_t p = 0; p < cj_tensor_count(y); p++)
        for (int64_t q = p % dim(w, 4); q < cj_tensor_count(w); q += dim(w, 4)) {
            int64_t to[5], tap[5], from[5] = {0};
            for (int i = 4, rest = 1, more = 1; i >= 0; i--) {
                to[i] = p / rest % dim(y, i), rest *= (int)dim(y, i);
                tap[i] = q / more % dim(w, i), more *= (int)dim(w, i);
            }
            bool inside = true;
            for (int i = 0; i < 3; i++) {
                from[i + 1] =
                    to[i + 1] * a->strides[i] + tap[i] * a->dilation[i] - a->before[i] -
                    before(dim(x, i + 1), dim(w, i), a->strides[i], a->dilation[i], a->same);
                inside = inside && from[i + 1] >= 0 && from[i + 1] < dim(x, i + 1);
            }
            from[0] = to[0];
            from[4] = to[4] / filters * dim(w, 3) + tap[3];
            if (!inside)
                continue;
            const int64_t at = is_forward ? p : at5(x, from);
            case_set(out[0], at,
                     case_get(out[0], at) +
                         case_get(w, q) *
                             (is_forward ? case_get(x, at5(x, from)) : case_get(y, p)));
        }
    for (int64_t i = 0; c->op->epilogue && i < cj_tensor_count(out[0]); i++) {
        const double bias = c->input_count == 3 ? case_get(in[2], i % dim(out[0], 4)) : 0;
        case_set(out[0], i, act(a->epilogue.act, case_get(out[0], i) + bias));
    }
}

// The greatest of each window of convolved elements; where relu holds them all down, the place is
// behind the window.
static void ref_conv2d_pool(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__conv2d_attrs *a = c->attrs;
    const int64_t h = dim(out[0], 1), w = dim(out[0], 2), filters = dim(out[0], 3),
                  size = a->chosen.pool[0] * a->chosen.pool[1];
    for (int64_t at = 0; at < cj_tensor_count(out[0]); at++) {
        const int64_t n = at / filters / w / h, i = at / filters / w % h, j = at / filters % w,
                      f = at % filters;
        double best = -INFINITY;
        int64_t place = 0;
        for (int64_t p = 0; p < size; p++) {
            const double sum = conv_at(a, in, n, i * a->chosen.pool[0] + p / a->chosen.pool[1],
                                       j * a->chosen.pool[1] + p % a->chosen.pool[1], f) +
                               (c->input_count == 3 ? case_get(in[2], f) : 0);
            place = sum > best ? p : place;
            best = sum > best ? sum : best;
        }
        case_set(out[0], at, act(a->chosen.epilogue.act, best));
        case_set(out[1], at,
                 (double)(a->chosen.epilogue.act == CJ__UNARY_relu && best <= 0 ? size : place));
    }
}

// One window of a pool: the greatest element and its place, or the mean, or the element at a place.
typedef struct window {
    double greatest, sum, at_place;
    int64_t place, count;
} window;

static window look(const cj__pool2d_attrs *a, const cj_tensor *x, const int64_t *y, int64_t wanted)
{
    window w = {.greatest = -INFINITY, .at_place = 0};
    const int64_t top = before(dim(x, 1), a->size[0], a->strides[0], 1, a->same);
    const int64_t left = before(dim(x, 2), a->size[1], a->strides[1], 1, a->same);
    for (int64_t p = 0; p < a->size[0] * a->size[1]; p++) {
        const int64_t r = y[1] * a->strides[0] + p / a->size[1] - top;
        const int64_t s = y[2] * a->strides[1] + p % a->size[1] - left;
        if (r < 0 || r >= dim(x, 1) || s < 0 || s >= dim(x, 2))
            continue;
        const double value = case_get(x, at4(x, y[0], r, s, y[3]));
        w.at_place = p == wanted ? value : w.at_place;
        w.place = value > w.greatest ? p : w.place;
        w.greatest = fmax(value, w.greatest);
        w.sum += value;
        w.count++;
    }
    return w;
}

static void ref_pool(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const bool gathers = c->op == &cj__op_max_pool2d_gather;
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++) {
        const int64_t h = dim(out[0], 1), w = dim(out[0], 2), k = dim(out[0], 3);
        const int64_t y[] = {i / k / w / h, i / k / w % h, i / k % w, i % k};
        const window seen =
            look(c->attrs, in[gathers], y, gathers ? (int64_t)case_get(in[0], i) : -1);
        case_set(out[0], i,
                 gathers                     ? seen.at_place :
                 c->op == &cj__op_max_pool2d ? seen.greatest :
                                               seen.sum / (double)seen.count);
        if (c->op == &cj__op_max_pool2d)
            case_set(out[1], i, (double)seen.place);
    }
}

// ln of the sum of exponentials of row r.
static double log_sum(const cj_tensor *x, int64_t r)
{
    double sum = 0;
    for (int64_t j = 0; j < dim(x, -1); j++)
        sum += exp(case_get(x, r * dim(x, -1) + j));
    return log(sum);
}

static void ref_softmax(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    for (int64_t i = 0; i < cj_tensor_count(in[0]); i++) {
        const double y = case_get(in[0], i) - log_sum(in[0], i / dim(in[0], -1));
        case_set(out[0], i, c->op == &cj__op_softmax ? exp(y) : y);
    }
}

// And, of the fused op, the gradient (p - onehot) dloss.
static void ref_softmax_cross_entropy(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const int64_t classes = dim(in[0], -1);
    for (int64_t r = 0; r < cj_tensor_count(in[1]); r++) {
        const double total = log_sum(in[0], r);
        case_set(out[0], r, total - case_get(in[0], r * classes + (int64_t)case_get(in[1], r)));
        for (int64_t j = 0; j < classes; j++)
            case_set(out[1], r * classes + j, exp(case_get(in[0], r * classes + j) - total));
        for (int64_t j = 0; c->op == &cj__op_softmax_cross_entropy_both && j < classes; j++)
            case_set(out[2], r * classes + j,
                     (exp(case_get(in[0], r * classes + j) - total) -
                      ((double)j == case_get(in[1], r))) *
                         case_get(in[2], r));
    }
}

static void ref_sigmoid_cross_entropy(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    (void)c;
    for (int64_t i = 0; i < cj_tensor_count(in[0]); i++) {
        const double p = 1 / (1 + exp(-case_get(in[0], i))), t = case_get(in[1], i);
        case_set(out[0], i, -t * log(p) - (1 - t) * log(1 - p));
    }
}

// Paths through the states of ctc: blank, label 0, blank, label 1, ..., blank.
typedef struct paths {
    cj_tensor *x, *labels;
    int64_t sample, steps, classes, most, count;
    double weight;     // of all paths that end well
    double visits[64]; // weight of those that have a class at a step
    int64_t taken[16]; // classes of the path under way
} paths;

static int64_t label_of(const paths *p, int64_t i)
{
    return (int64_t)case_get(p->labels, p->sample * p->most + i);
}

// Follows every path that is in `state` at `step`; `logarithm` is that of the steps before.
static void follow(paths *p, int64_t step, int64_t state, double logarithm)
{
    const int64_t class = state % 2 ? label_of(p, state / 2) : 0;
    p->taken[step] = class;
    logarithm += case_get(p->x, (p->sample * p->steps + step) * p->classes + class);
    if (step + 1 == p->steps) {
        if (state + 1 < 2 * p->count)
            return;
        p->weight += exp(logarithm);
        for (int64_t s = 0; s < p->steps; s++)
            p->visits[s * p->classes + p->taken[s]] += exp(logarithm);
        return;
    }
    const bool skips = state % 2 && state + 2 <= 2 * p->count &&
                       label_of(p, state / 2) != label_of(p, state / 2 + 1);
    for (int64_t next = state; next <= state + 1 + skips && next <= 2 * p->count; next++)
        follow(p, step + 1, next, logarithm);
}

static void ref_ctc(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    (void)c;
    paths p = {.x = in[0],
               .labels = in[1],
               .steps = dim(in[0], 1),
               .classes = dim(in[0], 2),
               .most = dim(in[1], 1)};
    for (p.sample = 0; p.sample < dim(in[0], 0); p.sample++) {
        p.count = 0;
        for (int64_t i = 0; i < p.most; i++)
            p.count += label_of(&p, i) != 0;
        p.weight = 0;
        memset(p.visits, 0, sizeof p.visits);
        for (int64_t state = 0; state < 2 && state <= 2 * p.count; state++)
            follow(&p, 0, state, 0);
        case_set(out[0], p.sample, -log(p.weight));
        for (int64_t k = 0; k < p.steps * p.classes; k++)
            case_set(out[1], p.sample * p.steps * p.classes + k, -p.visits[k] / p.weight);
    }
}

static void ref_circle(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__circle_attrs *a = c->attrs;
    const int64_t samples = dim(in[0], 0), length = dim(in[0], 1);
    for (int64_t i = 0; i < samples; i++) {
        double positives = 0, negatives = 0;
        for (int64_t j = 0; j < samples; j++) {
            double e = 1;
            for (int64_t k = 0; k < length; k++)
                e -= case_get(in[0], i * length + k) * case_get(in[0], j * length + k);
            e = fmax(e, 0);
            const double own = case_get(in[1], i), other = case_get(in[1], j);
            if (own < other || own > other)
                negatives += exp(a->gamma * fmax(1 + a->margin - e, 0) * (1 - a->margin - e));
            else if (i != j || !a->remove_diagonal)
                positives += exp(-a->gamma * fmax(a->margin + e, 0) * (a->margin - e));
        }
        case_set(out[0], i, log1p(positives * negatives));
    }
}

static void ref_gather(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const int64_t cols = cj_tensor_count(in[0]) / dim(in[0], 0);
    (void)c;
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++)
        case_set(out[0], i, case_get(in[0], (int64_t)case_get(in[1], i / cols) * cols + i % cols));
}

static void ref_one_hot(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const int64_t classes = ((const cj__index_attrs *)c->attrs)->size;
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++)
        case_set(out[0], i, case_get(in[0], i / classes) == (double)(i % classes));
}

static void ref_in_top_k(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const int64_t cols = dim(in[0], -1);
    for (int64_t r = 0; r < cj_tensor_count(out[0]); r++) {
        int64_t greater = 0;
        for (int64_t j = 0; j < cols; j++)
            greater += case_get(in[0], r * cols + j) >
                       case_get(in[0], r * cols + (int64_t)case_get(in[1], r));
        case_set(out[0], r, greater < ((const cj__index_attrs *)c->attrs)->size);
    }
}

static void ref_count_correct(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const int64_t cols = dim(in[0], -1);
    int64_t count = 0;
    (void)c;
    for (int64_t r = 0; r < cj_tensor_count(in[1]); r++) {
        int64_t best = 0;
        for (int64_t j = 1; j < cols; j++)
            best = case_get(in[0], r * cols + j) > case_get(in[0], r * cols + best) ? j : best;
        count += (double)best == case_get(in[1], r);
    }
    case_set(out[0], 0, (double)count);
}

static const struct {
    const cj__op *op;
    reference function;
} rows[] = {
    {&cj__op_matmul, ref_matmul},
    {&cj__op_einsum, ref_einsum},
    {&cj__op_attention, ref_attention},
    {&cj__op_attention_grad, ref_attention_grad},
    {&cj__op_matmul_bias_act, ref_matmul},
    {&cj__op_conv2d, ref_conv2d},
    {&cj__op_conv2d_bias_act, ref_conv2d},
    {&cj__op_conv2d_transpose, ref_conv2d_transpose},
    {&cj__op_conv2d_transpose_bias_act, ref_conv2d_transpose},
    {&cj__op_conv3d, ref_conv3d},
    {&cj__op_conv3d_transpose, ref_conv3d},
    {&cj__op_conv3d_bias_act, ref_conv3d},
    {&cj__op_conv3d_transpose_bias_act, ref_conv3d},
    {&cj__op_conv2d_pool, ref_conv2d_pool},
    {&cj__op_max_pool2d, ref_pool},
    {&cj__op_max_pool2d_gather, ref_pool},
    {&cj__op_average_pool2d, ref_pool},
    {&cj__op_softmax, ref_softmax},
    {&cj__op_log_softmax, ref_softmax},
    {&cj__op_softmax_cross_entropy, ref_softmax_cross_entropy},
    {&cj__op_softmax_cross_entropy_both, ref_softmax_cross_entropy},
    {&cj__op_sigmoid_cross_entropy, ref_sigmoid_cross_entropy},
    {&cj__op_ctc, ref_ctc},
    {&cj__op_circle, ref_circle},
    {&cj__op_gather, ref_gather},
    {&cj__op_one_hot, ref_one_hot},
    {&cj__op_in_top_k, ref_in_top_k},
    {&cj__op_count_correct, ref_count_correct},
    {&cj__op_relu_dropout_grad, ref_relu_dropout_grad},
    {&cj__op_random_uniform, ref_noise},
    {&cj__op_random_normal, ref_noise},
};

reference reference_of_network(const cj__op *op)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].op == op)
            return rows[i].function;
    return NULL;
}
