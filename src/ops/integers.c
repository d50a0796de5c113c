// Element-wise arithmetic, bits and comparisons of integers and booleans, with numpy's broadcasting.
// Numbers are read into 64 bits and results written into the dtype's bits, so that they wrap round as
// in NumPy. Nothing passes back.
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"
#include "ops/words.h"

static cj_status need_integer(const cj__inference *r, int index)
{
    const cj_dtype dtype = r->inputs[index].dtype;
    if (!cj__is_integer(dtype))
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: input %d is %s, needs integers or booleans",
                        r->op->name, index, cj_dtype_name(dtype));
    return CJ_OK;
}

static cj_status infer_integers(cj__inference *r)
{
    CJ_TRY(need_integer(r, 0));
    CJ_TRY(cj__need_dtype(r, 1, r->inputs[0].dtype));
    r->outputs[0].dtype = r->op->variant >= CJ__INTEGER_equal ? CJ_BOOL : r->inputs[0].dtype;
    return cj__broadcast(r, &r->inputs[0].shape, &r->inputs[1].shape, &r->outputs[0].shape);
}

// ---- The functions, of numbers widened to 64 bits ----

// Sums and products that wrap round.
static int64_t wrapped(uint64_t bits)
{
    return (int64_t)bits;
}

static int64_t quotient(int64_t a, int64_t b)
{
    return b == 0 ? 0 : b == -1 ? wrapped(0 - (uint64_t)a) : a / b;
}

static int64_t rest(int64_t a, int64_t b)
{
    return b == 0 || b == -1 ? 0 : a % b;
}

static bool rounds_down(int64_t a, int64_t b)
{
    return rest(a, b) != 0 && (a < 0) != (b < 0);
}

static int64_t raised(int64_t a, int64_t b)
{
    uint64_t result = 1, factor = (uint64_t)a;
    if (b < 0)
        return a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : 0;
    for (; b > 0; b >>= 1, factor *= factor)
        if (b & 1)
            result *= factor;
    return wrapped(result);
}

static uint64_t size_of(int64_t a)
{
    return a < 0 ? 0 - (uint64_t)a : (uint64_t)a;
}

static int64_t common_divisor(int64_t a, int64_t b)
{
    uint64_t p = size_of(a), q = size_of(b);
    while (q > 0) {
        const uint64_t left = p % q;
        p = q;
        q = left;
    }
    return wrapped(p);
}

static int64_t common_multiple(int64_t a, int64_t b)
{
    const uint64_t divisor = (uint64_t)common_divisor(a, b);
    return divisor ? wrapped(size_of(a) / divisor * size_of(b)) : 0;
}

static int64_t shifted_left(int64_t a, int64_t b)
{
    return b < 0 || b > 63 ? 0 : wrapped((uint64_t)a << b);
}

static int64_t shifted_right(int64_t a, int64_t b)
{
    const int64_t sign = a < 0 ? -1 : 0;
    return b < 0 || b > 63 ? sign : wrapped((((uint64_t)a ^ (uint64_t)sign) >> b) ^ (uint64_t)sign);
}

#define FORMULAS(F)                                     \
    F(add, wrapped((uint64_t)a + (uint64_t)b))          \
    F(subtract, wrapped((uint64_t)a - (uint64_t)b))     \
    F(multiply, wrapped((uint64_t)a *(uint64_t)b))      \
    F(floor_divide, quotient(a, b) - rounds_down(a, b)) \
    F(mod, rest(a, b) + (rounds_down(a, b) ? b : 0))    \
    F(fmod, rest(a, b))                                 \
    F(power, raised(a, b))                              \
    F(maximum, a > b ? a : b)                           \
    F(minimum, a < b ? a : b)                           \
    F(gcd, common_divisor(a, b))                        \
    F(lcm, common_multiple(a, b))                       \
    F(and, a &b)                                        \
    F(or, a | b)                                        \
    F(xor, a ^ b)                                       \
    F(left_shift, shifted_left(a, b))                   \
    F(right_shift, shifted_right(a, b))                 \
    F(equal, a == b)                                    \
    F(not_equal, a != b)                                \
    F(greater, a > b)                                   \
    F(greater_equal, a >= b)                            \
    F(less, a < b)                                      \
    F(less_equal, a <= b)

#define F(name, formula)                           \
    static int64_t of_##name(int64_t a, int64_t b) \
    {                                              \
        return formula;                            \
    }
FORMULAS(F)
#undef F

static int64_t (*const functions[CJ__INTEGER_COUNT])(int64_t a, int64_t b) = {
#define F(name, formula) [CJ__INTEGER_##name] = of_##name,
    FORMULAS(F)
#undef F
};

// ---- Running over operands of each dtype ----

static int64_t load(cj_dtype dtype, const void *data, int64_t index)
{
    switch (dtype) {
    case CJ_I32:
        return ((const int32_t *)data)[index];
    case CJ_I64:
        return ((const int64_t *)data)[index];
    default:
        return ((const uint8_t *)data)[index];
    }
}

static void store(cj_dtype dtype, void *data, int64_t index, int64_t value)
{
    switch (dtype) {
    case CJ_I32:
        ((int32_t *)data)[index] = (int32_t)(uint32_t)(uint64_t)value;
        break;
    case CJ_I64:
        ((int64_t *)data)[index] = value;
        break;
    case CJ_BOOL:
        ((uint8_t *)data)[index] = value != 0;
        break;
    default:
        ((uint8_t *)data)[index] = (uint8_t)value;
    }
}

static void work_integers(const cj__call *call, const cj__run_of *r)
{
    const cj_dtype from = call->inputs[0].type.dtype, to = call->outputs[0].type.dtype;
    for (int64_t row = 0; row < r->rows; row++) {
        const int64_t a = r->at[0] + row * r->row[0], b = r->at[1] + row * r->row[1];
        for (int64_t j = 0; j < r->cols; j++)
            store(
                to, call->outputs[0].data, r->out + row * r->cols + j,
                functions[call->op->variant](load(from, call->inputs[0].data, a + j * r->step[0]),
                                             load(from, call->inputs[1].data, b + j * r->step[1])));
    }
}

static cj_status run_integers(const cj__call *call)
{
    cj__spread_run(call, 2, work_integers);
    return CJ_OK;
}

static cj_status infer_int_select(cj__inference *r)
{
    cj_shape both;
    CJ_TRY(cj__need_dtype(r, 0, CJ_BOOL));
    CJ_TRY(need_integer(r, 1));
    CJ_TRY(cj__need_dtype(r, 2, r->inputs[1].dtype));
    CJ_TRY(cj__broadcast(r, &r->inputs[1].shape, &r->inputs[2].shape, &both));
    r->outputs[0].dtype = r->inputs[1].dtype;
    return cj__broadcast(r, &r->inputs[0].shape, &both, &r->outputs[0].shape);
}

static void work_int_select(const cj__call *call, const cj__run_of *r)
{
    const cj_dtype dtype = call->outputs[0].type.dtype;
    const uint8_t *condition = call->inputs[0].data;
    for (int64_t row = 0; row < r->rows; row++)
        for (int64_t j = 0; j < r->cols; j++) {
            const int which = condition[r->at[0] + row * r->row[0] + j * r->step[0]] ? 1 : 2;
            store(dtype, call->outputs[0].data, r->out + row * r->cols + j,
                  load(dtype, call->inputs[which].data,
                       r->at[which] + row * r->row[which] + j * r->step[which]));
        }
}

static cj_status run_int_select(const cj__call *call)
{
    cj__spread_run(call, 3, work_int_select);
    return CJ_OK;
}

#define INTEGER(op_name, kind, inputs, inferred, how) \
    const cj__op cj__op_##op_name = {                 \
        .name = #op_name,                             \
        .flags = CJ__OP_NO_GRADIENT,                  \
        .min_inputs = inputs,                         \
        .max_inputs = inputs,                         \
        .samples = CJ__WHOLE_BATCH,                   \
        .on_blocks = CJ__ON_BLOCKS_NO,                \
        .identity = CJ__IDENTITY_NEVER,               \
        .bf16 = CJ__BF16_NEVER,                       \
        .variant = kind,                              \
        .infer = inferred,                            \
        .run = how,                                   \
    };
#define F(name, formula) INTEGER(int_##name, CJ__INTEGER_##name, 2, infer_integers, run_integers)
FORMULAS(F)
#undef F
INTEGER(int_select, 0, 3, infer_int_select, run_int_select)

static const cj__op *const integer_ops[CJ__INTEGER_COUNT] = {
#define F(name, formula) [CJ__INTEGER_##name] = &cj__op_int_##name,
    FORMULAS(F)
#undef F
};

cj_symbol *cj__apply_integer(cj__build *g, cj__integer function, cj_symbol *a, cj_symbol *b)
{
    return cj__append(g, integer_ops[function], NULL, (cj_symbol *[]){a, b}, 2);
}
