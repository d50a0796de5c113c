// EinsumDense and Dot: sums of products over the axes that both operands have and the result has not.
#include "explain/explain.h"
#include <cajal/attention.h>
#include <cajal/merging.h>
#include <math.h>
#include <string.h>

enum { LETTERS = 128 };

// A letter for each axis of an operand, all different.
typedef struct operand {
    const cj_tensor *tensor;
    char letters[2 * CJ_MAX_RANK + 1];
} operand;

typedef struct equation {
    operand a, b, y;
    int64_t length[LETTERS], index[LETTERS]; // of each letter
    char summed[CJ_MAX_RANK + 1];            // the letters that y has not
} equation;

static int64_t offset_of(const equation *e, const operand *o)
{
    const cj_shape *shape = cj_tensor_shape(o->tensor);
    int64_t offset = 0;
    for (int i = 0; i < shape->rank; i++)
        offset = offset * shape->dims[i] + e->index[(int)o->letters[i]];
    return offset;
}

// The lengths of all letters, which of them are summed, and how many products that makes.
static int64_t set_up(equation *e)
{
    const operand *operands[] = {&e->a, &e->b};
    int64_t count = 1;
    size_t summed = 0;
    for (int k = 0; k < 2; k++) {
        const cj_shape *shape = cj_tensor_shape(operands[k]->tensor);
        for (int i = 0; i < shape->rank; i++) {
            const char letter = operands[k]->letters[i];
            e->length[(int)letter] = shape->dims[i];
            if (strchr(e->y.letters, letter) || strchr(e->summed, letter))
                continue;
            e->summed[summed++] = letter;
            count *= shape->dims[i];
        }
    }
    return count;
}

// Puts the letters of y to an element, and those that are summed to 0.
static void choose_element(equation *e, int64_t offset)
{
    memset(e->index, 0, sizeof e->index);
    const cj_shape *shape = cj_tensor_shape(e->y.tensor);
    for (int i = shape->rank - 1; i >= 0; i--) {
        e->index[(int)e->y.letters[i]] = offset % shape->dims[i];
        offset /= shape->dims[i];
    }
}

// The next combination of the letters that are summed.
static void step(equation *e)
{
    for (int i = (int)strlen(e->summed) - 1; i >= 0; i--) {
        int64_t *index = &e->index[(int)e->summed[i]];
        if (++*index < e->length[(int)e->summed[i]])
            return;
        *index = 0;
    }
}

static void gather(equation *e, int64_t offset, int64_t count, double *a, double *b)
{
    choose_element(e, offset);
    for (int64_t i = 0; i < count; i++, step(e)) {
        a[i] = cj__element_at(e->a.tensor, offset_of(e, &e->a));
        b[i] = cj__element_at(e->b.tensor, offset_of(e, &e->b));
    }
}

// EinsumDense
// -----------------------------------------------------------------------------------------------

// The letters of an operand of `rank` axes; the axes of "..." get digits.
static const char *read_operand(const char *text, int rank, operand *o)
{
    int named = 0, length = 0;
    for (const char *c = text; *c && *c != ',' && *c != '-'; c++)
        named += *c != '.';
    while (*text && *text != ',' && *text != '-') {
        if (*text == '.') {
            for (int i = 0; i < rank - named; i++)
                o->letters[length++] = (char)('0' + i);
            text += 3;
        } else {
            o->letters[length++] = *text++;
        }
    }
    o->letters[length] = 0;
    return *text == ',' ? text + 1 : *text ? text + 2 : text;
}

// The bias has the last axes of y, each of its length or of 1.
static double bias_at(const cj_tensor *bias, const cj_shape *y, int64_t offset)
{
    int64_t index[CJ_MAX_RANK];
    if (!bias)
        return 0;
    const cj_shape *shape = cj_tensor_shape(bias);
    for (int i = y->rank - 1; i >= 0; i--) {
        const int own = i - y->rank + shape->rank;
        if (own >= 0)
            index[own] = shape->dims[own] == 1 ? 0 : offset % y->dims[i];
        offset /= y->dims[i];
    }
    return cj__element_at(bias, cj__offset_of(bias, index));
}

static cj_status explain_dense(const cj__explanation *explanation, equation *e, int64_t count,
                               double *buffer)
{
    const cj__record *record = explanation->record;
    const cj_einsum_dense_args *args = record->layer->args;
    const cj_tensor *bias = cj__weight(record, "bias");
    const cj_shape *shape = cj_tensor_shape(record->outputs[0]);
    const int64_t row = shape->dims[shape->rank - 1], own = explanation->offset % row,
                  begin = explanation->offset - own;
    double *a = buffer, *b = a + count, *z = b + count, *bound = z + row;
    for (int64_t i = 0; i < row; i++) {
        double sum = bias_at(bias, shape, begin + i), magnitude = fabs(sum);
        gather(e, begin + i, count, a, b);
        for (int64_t k = 0; k < count; k++) {
            sum += a[k] * b[k];
            magnitude += fabs(a[k] * b[k]);
        }
        z[i] = sum;
        bound[i] = cj__rounding_bound(magnitude);
    }
    double sum = 0, magnitude = 0;
    char text[CJ__DIGITS_TEXT], total[CJ__DIGITS_TEXT];
    gather(e, explanation->offset, count, a, b);
    cj__print_line(explanation, "%s, summed over %s:", args->equation,
                   *e->summed ? e->summed : "nothing");
    const cj__products products = {"input", "kernel", a, b, count};
    CJ_TRY(cj__show_products(explanation, &products, &sum, &magnitude));
    if (bias)
        cj__print_line(explanation, "+ bias %s = %s",
                       cj__digits(bias_at(bias, shape, explanation->offset), text),
                       cj__digits(z[own], total));
    return cj__explain_activation(explanation, args->activation, z, bound, row, own);
}

cj_status cj__explain_einsum_dense(cj__explanation *explanation)
{
    const cj__record *record = explanation->record;
    const cj_einsum_dense_args *args = record->layer->args;
    const cj_shape *y = cj_tensor_shape(record->outputs[0]);
    equation e = {.a.tensor = record->inputs[0],
                  .b.tensor = cj__weight(record, "kernel"),
                  .y.tensor = record->outputs[0]};
    const char *at = read_operand(args->equation, cj_tensor_shape(e.a.tensor)->rank, &e.a);
    at = read_operand(at, cj_tensor_shape(e.b.tensor)->rank, &e.b);
    read_operand(at, y->rank, &e.y);
    const int64_t count = set_up(&e);
    double *buffer = cj__new((size_t)(2 * count + 2 * y->dims[y->rank - 1]), sizeof *buffer);
    if (!buffer)
        return CJ_OUT_OF_MEMORY;
    const cj_status status = explain_dense(explanation, &e, count, buffer);
    cj__free(buffer);
    return status;
}

// Dot
// -----------------------------------------------------------------------------------------------

// The axes of both inputs but the batch and the one that is summed, one input's after the other's.
static void set_letters(operand *o, int64_t setting, char *next, char *result)
{
    const int rank = cj_tensor_shape(o->tensor)->rank;
    const int summed = (int)(setting < 0 ? setting + rank : setting);
    size_t length = strlen(result);
    for (int i = 0; i < rank; i++) {
        o->letters[i] = i == 0 ? 'a' : i == summed ? 'b' : (*next)++;
        if (i != 0 && i != summed)
            result[length++] = o->letters[i];
    }
}

static double norm_of(const double *x, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += x[i] * x[i];
    return sqrt(fmax(sum, 1e-14)); // as the layer limits it
}

static cj_status explain_dot(const cj__explanation *explanation, equation *e, int64_t count,
                             double *a, double *b, bool normalize)
{
    double sum = 0, magnitude = 0;
    char text[4][CJ__DIGITS_TEXT];
    gather(e, explanation->offset, count, a, b);
    const cj__products products = {"input 0", "input 1", a, b, count};
    CJ_TRY(cj__show_products(explanation, &products, &sum, &magnitude));
    if (!normalize)
        return cj__conclude_near(explanation, sum, magnitude);
    const double first = norm_of(a, count), second = norm_of(b, count);
    cj__print_line(explanation, "over both lengths: %s / (%s × %s) = %s", cj__digits(sum, text[0]),
                   cj__digits(first, text[1]), cj__digits(second, text[2]),
                   cj__digits(sum / (first * second), text[3]));
    return cj__conclude_near(explanation, sum / (first * second), 2 * magnitude / (first * second));
}

cj_status cj__explain_dot(cj__explanation *explanation)
{
    const cj__record *record = explanation->record;
    const cj_dot_args *args = record->layer->args;
    equation e = {.a.tensor = record->inputs[0],
                  .b.tensor = record->inputs[1],
                  .y = {record->outputs[0], "a"}};
    char next = 'c';
    set_letters(&e.a, args->axes[0], &next, e.y.letters);
    set_letters(&e.b, args->axes[1], &next, e.y.letters);
    if (!e.y.letters[1]) // (1, 1)
        e.y.letters[1] = next;
    const int64_t count = set_up(&e);
    double *buffer = cj__new((size_t)(2 * count), sizeof *buffer);
    if (!buffer)
        return CJ_OUT_OF_MEMORY;
    const cj_status status =
        explain_dot(explanation, &e, count, buffer, buffer + count, args->normalize);
    cj__free(buffer);
    return status;
}
