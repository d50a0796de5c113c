// What follows a product: bias and activation. ReLU happens in registers, at the end of a tile; any other activation is
// this table's element-wise kernel, applied to rows that are still in the cache.
typedef struct epilogue {
    const real *bias; // of the whole row, or NULL
    cj__unary act;
    double a, b;
} epilogue;

// The table that these bodies are part of; set once, when it is made (table.c).
static const cj__kernels *own_table;

static bool is_relu(const epilogue *e)
{
    return e->act == CJ__UNARY_relu;
}

static void finish_rows(const epilogue *e, real *const *rows, int count, int64_t cols)
{
    if (e->act == CJ__UNARY_NONE || is_relu(e))
        return;
    for (int i = 0; i < count; i++)
        own_table->unary[e->act](cols, rows[i], rows[i], e->a, e->b);
}
