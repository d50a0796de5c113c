// The gradient of a scan: a scan that goes the other way.
//
// Its states are the gradients by the states; a step takes them, and the gradients by that step's
// entries of sequences, back through the body. The values that the forward steps had are entries of
// the sequences that the scan offers (scan.c).
//
// By an invariant w a step's gradient is a sum of terms, to be added up over the steps. Where w is a
// matrix in a product a w, the term is a' d, summed over the samples. Then a and d become sequences,
// and one product after the loop sums over steps and samples at once: as many operations as the
// products of the steps, in one call that is large enough to be fast. A sum of values that are a
// sequence anyway (a bias's term, beside the product) waits until then too. All other terms are added
// up in a state.
#include "graph/graph.h"
#include "graph/scan.h"

#include "base/memory.h"

#include <string.h>

enum { TERMS_MAX = 8 };

// A factor of a term: a sequence that is there already, or an output of the loop.
typedef struct factor {
    cj_symbol *sequence; // or NULL
    int output;
} factor;

// A term of the gradient by an operand, of all steps at once: a' d, or d summed to the shape of the
// operand.
typedef struct after {
    int operand;
    bool is_product;
    factor a, d;
} after;

typedef struct differentiation {
    cj__scan scan;
    const cj__node *node;
    const cj__scan_body *body;
    const bool *wanted;      // by operand
    cj_symbol **ys, **seeds; // by result of the body that a gradient arrives at
    int y_count;
    cj_symbol **xs, **gradients; // by input of the body that one is wanted by
    int *inputs;                 // and which it is
    int x_count;
    cj_symbol **states; // by state of the body: its gradient, or NULL
    int *sums;          // by input: the state that sums its terms up, or -1
    int *entries;       // by input: the output of the loop that has the gradients by its entries
    after *afters;
    int after_count;
    size_t after_capacity;
} differentiation;

static bool is_real(const cj_symbol *symbol)
{
    const cj_dtype dtype = cj__symbol_type(symbol)->dtype;
    return dtype == CJ_F32 || dtype == CJ_F64;
}

static cj_symbol *zeros_like(cj__build *g, cj_symbol *x)
{
    return cj__broadcast_like(g, cj__scalar_like(g, x, 0), x);
}

static int operand_of(const cj__scan_body *body, int input)
{
    int operand = 0;
    for (int i = 0; i < input; i++)
        operand += cj__scan_operands(body->roles[i]);
    return operand;
}

static bool is_wanted(const differentiation *d, int input)
{
    const int operand = operand_of(d->body, input);
    return is_real(d->body->inputs[input]) &&
           (d->body->roles[input] == CJ__SCAN_CARRIED || d->wanted[operand] ||
            (cj__scan_operands(d->body->roles[input]) == 2 && d->wanted[operand + 1]));
}

static cj_status allocate(differentiation *d)
{
    const size_t inputs = (size_t)d->body->input_count,
                 results = (size_t)(d->body->carried_count + d->body->stacked_count);
    d->ys = cj__new(results, sizeof(cj_symbol *));
    d->seeds = cj__new(results, sizeof(cj_symbol *));
    d->xs = cj__new(inputs, sizeof(cj_symbol *));
    d->gradients = cj__new(inputs, sizeof(cj_symbol *));
    d->states = cj__new(inputs, sizeof(cj_symbol *));
    d->inputs = cj__new(inputs, sizeof *d->inputs);
    d->sums = cj__new(inputs, sizeof *d->sums);
    d->entries = cj__new(inputs, sizeof *d->entries);
    return d->ys && d->seeds && d->xs && d->gradients && d->states && d->inputs && d->sums &&
                   d->entries ?
               CJ_OK :
               CJ_OUT_OF_MEMORY;
}

static void add_seed(differentiation *d, cj_symbol *y, cj_symbol *seed)
{
    d->ys[d->y_count] = y;
    d->seeds[d->y_count++] = seed;
}

// The gradients that arrive at the results of a step, and those that are wanted by its inputs.
static void begin_step(differentiation *d, cj_symbol *const *dy)
{
    const cj__scan_body *body = d->body;
    cj__build *g = d->scan.build;
    for (int k = 0; k < body->carried_count; k++) {
        if (!is_real(body->inputs[k]))
            continue;
        d->states[k] = cj__scan_carry(&d->scan, dy[k] ? dy[k] : zeros_like(g, d->node->inputs[k]));
        add_seed(d, body->results[k], d->states[k]);
    }
    for (int i = body->carried_count; i < body->carried_count + body->stacked_count; i++)
        if (dy[i])
            add_seed(d, body->results[i], cj__scan_slice(&d->scan, dy[i]));
    for (int i = 0; i < body->input_count; i++) {
        d->sums[i] = d->entries[i] = -1;
        if (!is_wanted(d, i))
            continue;
        d->inputs[d->x_count] = i;
        d->xs[d->x_count++] = body->inputs[i];
    }
}

static bool is_product(const cj_symbol *term)
{
    if (!cj__symbol_is(term, &cj__op_matmul))
        return false;
    const cj__matmul_attrs *m = cj__symbol_attrs(term);
    return m->trans_a && !m->trans_b &&
           cj__symbol_type(term->node->inputs[0])->shape.rank < CJ_MAX_RANK;
}

static bool is_sum(const cj_symbol *term)
{
    return cj__symbol_is(term, &cj__op_add) &&
           cj__type_equal(cj__symbol_type(term), cj__symbol_type(term->node->inputs[0])) &&
           cj__type_equal(cj__symbol_type(term), cj__symbol_type(term->node->inputs[1]));
}

// The terms of a sum of at most TERMS_MAX, in order; what is no sum, or has more terms, is one.
static int split_terms(cj_symbol *sum, cj_symbol *terms[TERMS_MAX])
{
    int count = 1;
    terms[0] = sum;
    for (int i = 0; i < count;) {
        if (!is_sum(terms[i]) || count == TERMS_MAX) {
            i++;
            continue;
        }
        cj__node *node = terms[i]->node;
        memmove(terms + i + 2, terms + i + 1, (size_t)(count - i - 1) * sizeof *terms);
        terms[i] = node->inputs[0];
        terms[i + 1] = node->inputs[1];
        count++;
    }
    return count;
}

// Whether all steps' values of a symbol are a sequence, and which.
static bool find_factor(const differentiation *d, const cj_symbol *symbol, factor *found)
{
    *found = (factor){.sequence = NULL};
    for (int i = 0; i < d->body->input_count && !found->sequence; i++)
        if (d->body->roles[i] == CJ__SCAN_SLICE && d->body->inputs[i]->node == symbol->node)
            found->sequence = d->node->inputs[operand_of(d->body, i)];
    if (!found->sequence)
        found->sequence = cj__scan_sequence(d->scan.build, d->node, symbol);
    for (int i = 0; i < d->scan.output_count && !found->sequence; i++) {
        found->output = i;
        if (d->scan.outputs[i]->node == symbol->node && d->scan.outputs[i]->index == symbol->index)
            return true;
    }
    return found->sequence != NULL;
}

static factor factor_of(differentiation *d, cj_symbol *symbol)
{
    factor found;
    if (!find_factor(d, symbol, &found))
        found.output = cj__scan_output(&d->scan, symbol);
    return found;
}

static void add_after(differentiation *d, const after *term)
{
    cj__build *g = d->scan.build;
    if (cj__reserve((void **)&d->afters, &d->after_capacity, (size_t)d->after_count + 1,
                    sizeof *d->afters))
        d->afters[d->after_count++] = *term;
    else if (g->status == CJ_OK)
        g->status = CJ_OUT_OF_MEMORY;
}

// Products after the loop.
static void take_products(differentiation *d, int input, cj_symbol *gradient)
{
    cj_symbol *terms[TERMS_MAX];
    const int count = split_terms(gradient, terms);
    for (int i = 0; i < count; i++)
        if (is_product(terms[i]))
            add_after(d, &(after){operand_of(d->body, input), true,
                                  factor_of(d, terms[i]->node->inputs[0]),
                                  factor_of(d, terms[i]->node->inputs[1])});
}

// Whether a term is a sum of what is a sequence anyway, and which.
static bool is_sum_of_sequence(const differentiation *d, const cj_symbol *term, factor *summed)
{
    return cj__symbol_is(term, &cj__op_sum_like) &&
           !((const cj__stretch_attrs *)cj__symbol_attrs(term))->mean &&
           find_factor(d, term->node->inputs[0], summed);
}

// All other terms: sums after the loop, and a state for the rest.
static void sum_up(differentiation *d, int input, cj_symbol *gradient)
{
    cj__build *g = d->scan.build;
    const int operand = operand_of(d->body, input);
    cj_symbol *terms[TERMS_MAX], *rest = NULL;
    const int count = split_terms(gradient, terms);
    for (int i = 0; i < count; i++) {
        factor summed;
        if (is_product(terms[i]))
            continue;
        if (is_sum_of_sequence(d, terms[i], &summed))
            add_after(d, &(after){.operand = operand, .d = summed});
        else
            rest = rest ? cj__add(g, rest, terms[i]) : terms[i];
    }
    if (!rest)
        return;
    d->sums[input] = d->scan.carried_count;
    cj_symbol *sum = cj__scan_carry(&d->scan, zeros_like(g, d->node->inputs[operand]));
    cj__scan_next(&d->scan, sum, cj__add(g, sum, rest));
}

static void end_step(differentiation *d)
{
    cj__build *g = d->scan.build;
    for (int i = 0; i < d->x_count; i++) {
        const int input = d->inputs[i];
        cj_symbol *gradient = d->gradients[i];
        switch (d->body->roles[input]) {
        case CJ__SCAN_CARRIED:
            cj__scan_next(&d->scan, d->states[input],
                          gradient ? gradient : zeros_like(g, d->states[input]));
            break;
        case CJ__SCAN_SLICE:
        case CJ__SCAN_BEFORE:
        case CJ__SCAN_AFTER:
            if (gradient)
                d->entries[input] = cj__scan_output(&d->scan, gradient);
            break;
        case CJ__SCAN_INVARIANT:
            if (gradient)
                take_products(d, input, gradient);
            break;
        }
    }
    for (int i = 0; i < d->x_count; i++) // now it is known what is a sequence
        if (d->body->roles[d->inputs[i]] == CJ__SCAN_INVARIANT && d->gradients[i])
            sum_up(d, d->inputs[i], d->gradients[i]);
}

// By a sequence of which a step reads the entry before (after) its own, and the other value where
// there is none: the gradients one place on, and the one that is left over.
static void shift(differentiation *d, int input, cj_symbol *entries, cj_symbol **dx)
{
    cj__build *g = d->scan.build;
    const int64_t n = d->scan.length;
    const bool before = d->body->roles[input] == CJ__SCAN_BEFORE;
    if (n == 0)
        return;
    cj_symbol *alone = cj__slice(g, entries, 0, before ? 0 : n - 1, 1);
    dx[1] = alone ? cj__reshape(g, alone, &cj__symbol_type(d->body->inputs[input])->shape) : NULL;
    if (n > 1)
        dx[0] = cj__pad(g, cj__slice(g, entries, 0, before ? 1 : 0, n - 1), 0, before ? 0 : 1,
                        before ? 1 : 0);
}

// What the loop has computed, by operand of the scan.
static void hand_out(differentiation *d, cj_symbol *const *last, cj_symbol *const *outputs,
                     cj_symbol **dx)
{
    cj__build *g = d->scan.build;
    for (int i = 0, state = 0; i < d->body->input_count; i++) {
        const int operand = operand_of(d->body, i);
        if (i < d->body->carried_count && d->states[i])
            dx[operand] = last[state++];
        if (d->sums[i] >= 0)
            dx[operand] = last[d->sums[i]];
        if (d->entries[i] >= 0 && cj__scan_operands(d->body->roles[i]) == 2)
            shift(d, i, outputs[d->entries[i]], dx + operand);
        else if (d->entries[i] >= 0)
            dx[operand] = outputs[d->entries[i]];
    }
    for (int i = 0; i < d->after_count; i++) {
        const after *t = &d->afters[i];
        cj_symbol *b = t->d.sequence ? t->d.sequence : outputs[t->d.output], *term;
        if (t->is_product)
            term =
                cj__matmul(g, t->a.sequence ? t->a.sequence : outputs[t->a.output], b, true, false);
        else
            term = cj__sum_like(g, b, d->node->inputs[t->operand]);
        dx[t->operand] = dx[t->operand] ? cj__add(g, dx[t->operand], term) : term;
    }
}

static cj_status go_back(differentiation *d, cj_symbol *const *dy, cj_symbol **dx)
{
    cj__build *g = d->scan.build;
    CJ_TRY(allocate(d));
    begin_step(d, dy);
    CJ_TRY(g->status);
    CJ_TRY(cj__gradients_from(g, d->ys, d->seeds, d->y_count, d->xs, d->x_count, d->gradients));
    end_step(d);
    CJ_TRY(g->status);
    const int output_count = d->scan.output_count;
    cj_symbol **last = cj__new((size_t)d->scan.carried_count, sizeof(cj_symbol *));
    cj_symbol **outputs = cj__new((size_t)output_count, sizeof(cj_symbol *));
    cj_status status = last && outputs ? CJ_OK : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK)
        status = cj__scan_end(&d->scan, last, outputs);
    if (status == CJ_OK) {
        hand_out(d, last, outputs, dx);
        status = g->status;
    }
    cj__free(last);
    cj__free(outputs);
    return status;
}

void cj__scan_gradient(cj__build *build, const cj__node *node, const bool *wanted,
                       cj_symbol *const *dy, cj_symbol **dx)
{
    const cj__scan_attrs *attrs = (const void *)node->attrs;
    differentiation d = {.node = node, .body = attrs->body, .wanted = wanted};
    cj__scan_begin(&d.scan, build, attrs->length, !attrs->reverse);
    d.scan.differentiated = node;
    const cj_status status = go_back(&d, dy, dx);
    if (status != CJ_OK && build->status == CJ_OK)
        build->status = status;
    if (status != CJ_OK)
        cj__scan_end(&d.scan, NULL, NULL); // frees its lists; a failed builder appends nothing
    cj__free(d.ys);
    cj__free(d.seeds);
    cj__free(d.xs);
    cj__free(d.gradients);
    cj__free(d.states);
    cj__free(d.inputs);
    cj__free(d.sums);
    cj__free(d.entries);
    cj__free(d.afters);
}
