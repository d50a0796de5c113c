// The hinge loss and softmax with cross-entropy of one sample, by hand: see cajal/explain_loss.h.
#include "explain/explain.h"

#include "base/args.h"
#include "base/fields.h"
#include <cajal/explain_loss.h>
#include <math.h>

typedef struct losses {
    FILE *stream;
    const cj_explain_loss_args *args;
    const double *scores;
    int64_t count;
    double greatest; // of the scores
} losses;

static const char *name_of(const losses *l, int64_t class, char text[24])
{
    snprintf(text, 24, "%lld", (long long)class);
    return l->args->class_names ? l->args->class_names[class] : text;
}

static void show_scores(const losses *l)
{
    char number[24], digits[CJ__DIGITS_TEXT];
    fprintf(l->stream, "%s of %lld classes; class %s is the right one\n",
            l->args->probabilities ? "log probabilities, which are scores," : "scores",
            (long long)l->count, name_of(l, l->args->label, number));
    for (int64_t i = 0; i < l->count; i++)
        fprintf(l->stream, "  %-12s %12s%s\n", name_of(l, i, number),
                cj__digits(l->scores[i], digits), i == l->args->label ? "  <- right" : "");
}

static void show_hinge(const losses *l)
{
    char number[24], digits[4][CJ__DIGITS_TEXT];
    const double right = l->scores[l->args->label];
    double loss = 0;
    fprintf(l->stream, "hinge: the sum over wrong classes of max(0, score - right score + %s)\n",
            cj__digits(l->args->margin, digits[0]));
    for (int64_t i = 0; i < l->count; i++) {
        if (i == l->args->label)
            continue;
        const double margin = l->scores[i] - right + l->args->margin, term = fmax(0, margin);
        loss += term;
        fprintf(l->stream, "  %-12s max(0, %s - %s + %s) = %s\n", name_of(l, i, number),
                cj__digits(l->scores[i], digits[0]), cj__digits(right, digits[1]),
                cj__digits(l->args->margin, digits[2]), cj__digits(term, digits[3]));
    }
    fprintf(l->stream, "  so the loss is %s\n", cj__digits(loss, digits[0]));
}

static void show_softmax(const losses *l)
{
    char number[24], digits[4][CJ__DIGITS_TEXT];
    double sum = 0;
    for (int64_t i = 0; i < l->count; i++)
        sum += exp(l->scores[i] - l->greatest);
    fprintf(
        l->stream,
        "softmax: exp(score - %s), the greatest score being taken from all, over their sum %s\n",
        cj__digits(l->greatest, digits[0]), cj__digits(sum, digits[1]));
    for (int64_t i = 0; i < l->count; i++) {
        const double power = exp(l->scores[i] - l->greatest);
        fprintf(l->stream, "  %-12s exp(%s) = %s, probability %s\n", name_of(l, i, number),
                cj__digits(l->scores[i] - l->greatest, digits[0]), cj__digits(power, digits[1]),
                cj__digits(power / sum, digits[2]));
    }
    const double distance = l->scores[l->args->label] - l->greatest;
    fprintf(l->stream, "  so the loss is -log(%s) = %s\n",
            cj__digits(exp(distance) / sum, digits[0]), cj__digits(log(sum) - distance, digits[1]));
}

static cj_status check(const cj_tensor *scores, const cj_explain_loss_args *args, int64_t *count)
{
    char text[128];
    const cj_shape *shape = cj_tensor_shape(scores);
    *count = cj_tensor_count(scores);
    if (cj_tensor_dtype(scores) == CJ_STRING || shape->rank < 1 || shape->rank > 2 ||
        (shape->rank == 2 && shape->dims[0] != 1) || *count < 1)
        return cj__fail(
            CJ_SHAPE_MISMATCH,
            "cj_explain_loss: scores are %s of shape %s, need to be numbers of one sample: "
            "(classes) or (1, classes)",
            cj_dtype_name(cj_tensor_dtype(scores)), cj_shape_text(shape, text, sizeof text));
    if (args->label < 0 || args->label >= *count)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_explain_loss: label %lld is none of %lld classes",
                        (long long)args->label, (long long)*count);
    if (!(args->margin >= 0) || isinf(args->margin))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_explain_loss: the margin is %g, must be finite and not negative",
                        args->margin);
    if (args->class_names && args->class_count != *count)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_explain_loss: %lld names for %lld classes",
                        (long long)args->class_count, (long long)*count);
    for (int64_t i = 0; args->class_names && i < *count; i++)
        if (!args->class_names[i])
            return cj__fail(CJ_INVALID_ARGUMENT, "cj_explain_loss: name %lld is NULL",
                            (long long)i);
    return CJ_OK;
}

// The scores as doubles; logarithms of probabilities.
static cj_status read_scores(const cj_tensor *scores, losses *l, double *values)
{
    cj_tensor *copy = NULL;
    CJ_TRY(cj_tensor_convert(scores, CJ_F64, &copy));
    l->greatest = -(double)INFINITY;
    cj_status status = CJ_OK;
    for (int64_t i = 0; status == CJ_OK && i < l->count; i++) {
        const double value = ((const double *)cj_tensor_data(copy))[i];
        if (!isfinite(value) || (l->args->probabilities && (value < 0 || value > 1)))
            status =
                cj__fail(CJ_INVALID_ARGUMENT, "cj_explain_loss: score %lld is %g, which is %s",
                         (long long)i, value, isfinite(value) ? "no probability" : "not finite");
        // a probability of 0 is below the smallest that is told from it
        values[i] = l->args->probabilities ? log(fmax(value, 1e-45)) : value;
        l->greatest = fmax(l->greatest, values[i]);
    }
    cj_release(copy);
    return status;
}

CJ__DEFAULTS(explain_loss, EXPLAIN_LOSS)

cj_status cj_explain_loss_with(const cj_tensor *scores, FILE *stream,
                               const cj_explain_loss_args *args)
{
    cj_explain_loss_args given;
    losses l = {.stream = stream, .args = &given};
    if (!scores)
        return cj__fail_missing(CJ__MADE_TENSOR, "cj_explain_loss: the scores");
    if (!stream)
        return cj__fail_null("cj_explain_loss: the stream");
    CJ_TRY(cj__args_read("cj_explain_loss", args, &explain_loss_defaults, sizeof given, &given));
    CJ_TRY(check(scores, &given, &l.count));
    double *values = cj__new((size_t)l.count, sizeof *values);
    if (!values)
        return CJ_OUT_OF_MEMORY;
    l.scores = values;
    const cj_status status = read_scores(scores, &l, values);
    if (status == CJ_OK) {
        show_scores(&l);
        show_hinge(&l);
        show_softmax(&l);
    }
    cj__free(values);
    CJ_TRY(status);
    return fflush(stream) != 0 || ferror(stream) ?
               cj__fail(CJ_IO, "cj_explain_loss: printing failed") :
               CJ_OK;
}
