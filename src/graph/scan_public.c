// The loop of cajal/scan.h, over that of scan.h.
#include "base/args.h"
#include "base/error.h"
#include "base/memory.h"
#include "graph/scan.h"
#include "ops/infer.h"

#include <cajal/scan.h>
#include <string.h>

enum { MOST = 64 };

static const cj_scan_args scan_defaults = {CJ_SCAN_DEFAULTS};

void cj_scan_defaults(cj_scan_args *args)
{
    if (args)
        *args = scan_defaults;
}

// The symbols of a loop, by what they are.
typedef struct loop {
    cj__build build;
    cj__scan scan;
    cj_symbol *states[MOST], *entries[MOST], *next[MOST], *outputs[MOST];
    cj_symbol *last[MOST], *all[MOST];
} loop;

static cj_status check(const cj_scan_args *a, int64_t *steps)
{
    const int counts[] = {a->state_count, a->sequence_count, a->output_count};
    static const char *const names[] = {"states", "sequences", "outputs"};
    if (!a->body)
        return cj__fail_null("cj_scan: the body");
    for (int i = 0; i < 3; i++)
        if (counts[i] < 0 || counts[i] > MOST)
            return cj__fail(CJ_INVALID_ARGUMENT, "cj_scan: %d %s, possible are 0 to %d", counts[i],
                            names[i], (int)MOST);
    *steps = a->steps;
    for (int i = 0; i < a->sequence_count; i++) {
        char text[CJ__SHAPE_TEXT];
        const cj_shape *shape = cj_symbol_shape(a->sequences[i]);
        const int64_t length = shape->rank > 0 ? shape->dims[0] : -1;
        *steps = *steps == 0 ? length : *steps;
        if (length < 0 || length != *steps)
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "cj_scan: sequence %d has shape %s, needs %lld entries in axis 0", i,
                            cj__shape_words(shape, text), (long long)(*steps > 0 ? *steps : 1));
    }
    if (*steps <= 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_scan: the number of steps is not known: give a sequence or .steps");
    return CJ_OK;
}

static cj_status take(loop *l, const cj_scan_args *a)
{
    const cj_status first = cj__build_take(&l->build, a->states, a->state_count);
    const cj_status second = cj__build_take(&l->build, a->sequences, a->sequence_count);
    return first != CJ_OK ? first : second;
}

static bool all_set(cj_symbol *const *symbols, int count)
{
    int set = 0;
    while (set < count && symbols[set])
        set++;
    return set == count;
}

// What the body has set becomes the loop's.
static cj_status take_results(loop *l, const cj_scan_args *a)
{
    char text[2][CJ__SHAPE_TEXT];
    CJ_TRY(cj__build_take(&l->build, l->next, a->state_count));
    CJ_TRY(cj__build_take(&l->build, l->outputs, a->output_count));
    for (int k = 0; k < a->state_count; k++) {
        const cj__type *is = cj__symbol_type(l->next[k]), *needs = cj__symbol_type(l->states[k]);
        if (!cj__type_equal(is, needs))
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "cj_scan: state %d is %s %s after the step, not %s %s", k,
                            cj_dtype_name(is->dtype), cj__shape_words(&is->shape, text[0]),
                            cj_dtype_name(needs->dtype), cj__shape_words(&needs->shape, text[1]));
    }
    return CJ_OK;
}

static cj_status write_body(loop *l, const cj_scan_args *a)
{
    const cj_scan_step step = {
        .states = l->states, .entries = l->entries, .next = l->next, .outputs = l->outputs};
    for (int k = 0; k < a->state_count; k++)
        l->states[k] = cj__scan_carry(&l->scan, a->states[k]);
    for (int i = 0; i < a->sequence_count; i++)
        l->entries[i] = cj__scan_slice(&l->scan, a->sequences[i]);
    CJ_TRY(l->build.status);
    // What a body has set that fails may be gone: an op that fails has dropped its arguments.
    CJ_TRY(cj__returned(a->body(a->context, &step), "cj_scan: the body"));
    if (!all_set(l->next, a->state_count) || !all_set(l->outputs, a->output_count))
        return cj__fail_missing(CJ__MADE_SYMBOL, "cj_scan: what the body has to set");
    CJ_TRY(take_results(l, a));
    for (int k = 0; k < a->state_count; k++)
        cj__scan_next(&l->scan, l->states[k], l->next[k]);
    for (int i = 0; i < a->output_count; i++)
        cj__scan_output(&l->scan, l->outputs[i]);
    return l->build.status;
}

// New floating symbols for what is wanted; none after a failure.
static cj_status hand_out(loop *l, cj_symbol *const *made, int count, cj_symbol **to)
{
    for (int i = 0; to && i < count; i++) {
        cj__build one = {0};
        to[i] = cj__build_result(&one, cj__node_output(&one, made[i]->node, made[i]->index));
        if (!to[i])
            l->build.status = CJ_OUT_OF_MEMORY;
    }
    return l->build.status;
}

static cj_status make(loop *l, const cj_scan_args *a, cj_symbol **last, cj_symbol **outputs)
{
    int64_t steps = 0;
    CJ_TRY(take(l, a));
    CJ_TRY(check(a, &steps));
    cj__scan_begin(&l->scan, &l->build, steps, a->reverse);
    const cj_status written = write_body(l, a);
    if (written != CJ_OK && l->build.status == CJ_OK)
        l->build.status = written;
    CJ_TRY(cj__scan_end(&l->scan, l->last, l->all));
    CJ_TRY(hand_out(l, l->last, a->state_count, last));
    return hand_out(l, l->all, a->output_count, outputs);
}

cj_status cj_scan_with(const cj_scan_args *args, cj_symbol **last, cj_symbol **outputs)
{
    cj_scan_args a;
    CJ_TRY(cj__args_read("cj_scan", args, &scan_defaults, sizeof a, &a));
    if ((a.state_count > 0 && !a.states) || (a.sequence_count > 0 && !a.sequences))
        return cj__fail_null(a.sequence_count > 0 && !a.sequences ? "cj_scan: the sequences" :
                                                                    "cj_scan: the states");
    for (int i = 0; last && i < a.state_count; i++)
        last[i] = NULL;
    for (int i = 0; outputs && i < a.output_count; i++)
        outputs[i] = NULL;
    loop *l = cj__new(1, sizeof *l);
    if (!l)
        return CJ_OUT_OF_MEMORY;
    const uint64_t begin = cj__causes_begin();
    cj_status status = make(l, &a, last, outputs);
    const cj_status ended = cj__build_end(&l->build);
    status = status != CJ_OK ? status : ended;
    for (int i = 0; status != CJ_OK && last && i < a.state_count; i++) {
        cj_release(last[i]);
        last[i] = NULL;
    }
    for (int i = 0; status != CJ_OK && outputs && i < a.output_count; i++) {
        cj_release(outputs[i]);
        outputs[i] = NULL;
    }
    cj__free(l);
    return cj__causes_end(begin, status);
}
