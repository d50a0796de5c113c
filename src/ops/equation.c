// The word einsum: an equation is read, what one operand alone has to sum is summed, lengths of 1
// that broadcast are dropped, and what is left is a product of matrices or the op einsum.
#include "ops/build.h"
#include "ops/infer.h"

#include <ctype.h>
#include <string.h>

// An equation as letters. The axes of "..." have the digits of their place from the end, so that
// those of both operands meet as they broadcast.
typedef struct equation {
    const char *text;
    char a[CJ_MAX_RANK + 1], b[CJ_MAX_RANK + 1], y[CJ_MAX_RANK + 1];
} equation;

static cj_status misread(const char *text, const char *why)
{
    return cj__fail(CJ_INVALID_ARGUMENT, "einsum: \"%s\" %s", text, why);
}

// Reads the letters of an operand of `rank` axes, or of the result (rank -1), up to a character of
// `ends`. "..." stands for the axes without a letter, in the result for `dots`, and becomes that many
// digits; `dots` receives their number.
static cj_status read_letters(const char *text, const char **at, const char *ends, int rank,
                              int *dots, char *letters)
{
    int count = 0, place = -1;
    char read[CJ_MAX_RANK];
    for (; **at && !strchr(ends, **at); ++*at) {
        if (**at == ' ')
            continue;
        if (strncmp(*at, "...", 3) == 0 && place < 0) {
            place = count;
            *at += 2;
        } else if (!isalpha((unsigned char)**at)) {
            return misread(text, "has more than letters, one \"...\" an operand, \",\" and \"->\"");
        } else if (count == CJ_MAX_RANK) {
            return misread(text, "has more than 8 letters in an operand");
        } else {
            read[count++] = **at;
        }
    }
    const int digits = place < 0 ? 0 : rank >= 0 ? rank - count : *dots;
    if (rank >= 0 && (digits < 0 || count + digits != rank))
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "einsum: \"%s\" has %d letters for an operand of %d axes", text, count,
                        rank);
    if (count + digits > CJ_MAX_RANK)
        return misread(text, "has a result of more than 8 axes");
    for (int i = 0, from = 0; i < count + digits; i++)
        letters[i] = place >= 0 && i >= place && i < place + digits ?
                         (char)('0' + digits - 1 - (i - place)) :
                         read[from++];
    letters[count + digits] = 0;
    *dots = digits > *dots ? digits : *dots;
    for (const char *p = letters; *p; p++)
        if (strchr(p + 1, *p))
            return misread(text, "names an axis twice in one operand, which is not supported");
    if (rank < 0 && place < 0 && *dots > 0)
        return misread(text, "has no \"...\" in its result");
    return CJ_OK;
}

static cj_status read_equation(const char *text, int rank_a, int rank_b, equation *e)
{
    const char *at = text;
    int dots = 0, none = 0;
    *e = (equation){.text = text};
    CJ_TRY(read_letters(text, &at, ",-", rank_a, &none, e->a));
    dots = none;
    if (*at++ != ',')
        return misread(text, "needs two operands, as in \"ab,bc->ac\"");
    none = 0;
    CJ_TRY(read_letters(text, &at, ",-", rank_b, &none, e->b));
    dots = none > dots ? none : dots;
    if (strncmp(at, "->", 2) != 0)
        return misread(text, "needs two operands and a result, as in \"ab,bc->ac\"");
    at += 2;
    CJ_TRY(read_letters(text, &at, "", -1, &dots, e->y));
    for (const char *p = e->y; *p; p++)
        if (!strchr(e->a, *p) && !strchr(e->b, *p))
            return misread(text, "has an axis in its result that no operand has");
    return CJ_OK;
}

// Drops the axes of length 1 that are longer in the other operand.
static cj_symbol *drop_ones(cj__build *g, cj_symbol *x, char *letters, const cj_symbol *other,
                            const char *other_letters)
{
    char kept[CJ_MAX_RANK + 1] = {0};
    const cj_shape *shape = cj_symbol_shape(x), *beside = cj_symbol_shape(other);
    cj_shape left = {.rank = 0};
    for (int i = 0; letters[i]; i++) {
        const char *there = strchr(other_letters, letters[i]);
        if (there && shape->dims[i] == 1 && beside->dims[there - other_letters] != 1)
            continue;
        kept[left.rank] = letters[i];
        left.dims[left.rank++] = shape->dims[i];
    }
    strcpy(letters, kept);
    return left.rank < shape->rank ? cj__reshape(g, x, &left) : x;
}

// Sums over the axes that neither the other operand nor the result has.
static cj_symbol *sum_alone(cj__build *g, cj_symbol *x, char *letters, const char *other,
                            const char *result)
{
    char kept[CJ_MAX_RANK + 1] = {0};
    uint32_t summed = 0;
    for (int i = 0, count = 0; letters[i]; i++) {
        if (strchr(other, letters[i]) || strchr(result, letters[i]))
            kept[count++] = letters[i];
        else
            summed |= 1u << i;
    }
    strcpy(letters, kept);
    return summed ? cj__sum(g, x, summed, false) : x;
}

// How many letters at the end of a are the first ones of b and are not in y, where y has the others
// of a, then the others of b: then the sum is a product of matrices. 0 if it is not.
static int summed_between(const equation *e)
{
    for (int count = 1; count <= (int)strlen(e->a) && count <= (int)strlen(e->b); count++) {
        const size_t rows = strlen(e->a) - (size_t)count;
        if (strncmp(e->a + rows, e->b, (size_t)count) == 0 && strncmp(e->y, e->a, rows) == 0 &&
            strcmp(e->y + rows, e->b + count) == 0)
            return count;
    }
    return 0;
}

static cj_symbol *as_matrices(cj__build *g, int count, cj_symbol *a, cj_symbol *b)
{
    const cj_shape *x = cj_symbol_shape(a), *w = cj_symbol_shape(b);
    const int rows = x->rank - count, cols = w->rank - count;
    cj_shape left = {.rank = rows + 1}, right = {.rank = 2}, y = {.rank = rows + cols};
    for (int i = 0; i < rows; i++)
        left.dims[i] = y.dims[i] = x->dims[i];
    for (int i = 0; i < cols; i++)
        y.dims[rows + i] = w->dims[count + i];
    left.dims[rows] = right.dims[0] = cj__span(w, 0, count);
    right.dims[1] = cj__span(w, count, w->rank);
    return cj__reshape(
        g, cj__matmul(g, cj__reshape(g, a, &left), cj__reshape(g, b, &right), false, false), &y);
}

static bool is_known(const cj_symbol *x)
{
    return cj__free_axis(cj_symbol_shape(x)) < 0;
}

cj_symbol *cj__einsum(cj__build *g, const char *equation_text, cj_symbol *a, cj_symbol *b)
{
    equation e;
    if (!a || !b)
        return NULL;
    const cj_status status =
        read_equation(equation_text, cj_symbol_shape(a)->rank, cj_symbol_shape(b)->rank, &e);
    if (status != CJ_OK) {
        cj__build_refuse(g, status);
        return NULL;
    }
    char letters[CJ_MAX_RANK + 1];
    strcpy(letters, e.a);
    cj_symbol *const left = drop_ones(g, a, e.a, b, e.b);
    cj_symbol *const right = drop_ones(g, b, e.b, a, letters);
    a = left ? sum_alone(g, left, e.a, e.b, e.y) : NULL;
    b = right ? sum_alone(g, right, e.b, e.a, e.y) : NULL;
    if (!a || !b)
        return NULL;
    const int count = summed_between(&e);
    const bool free_in_front = is_known(a) || cj__free_axis(cj_symbol_shape(a)) == 0;
    if (count > 0 && strlen(e.a) > (size_t)count && is_known(b) && free_in_front)
        return as_matrices(g, count, a, b);
    cj__einsum_attrs attrs = {{0}, {0}, {0}};
    strcpy(attrs.a, e.a), strcpy(attrs.b, e.b), strcpy(attrs.y, e.y);
    return cj__append(g, &cj__op_einsum, &attrs, (cj_symbol *[]){a, b}, 2);
}
