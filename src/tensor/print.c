// Printing as numpy does: one format for all elements, wide enough for the widest, "..." inside
// long axes.
#include "tensor/strings.h"

#include "base/error.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

// axes are shortened only in tensors of more than WHOLE_COUNT elements
enum { EDGE = 3, LONG_AXIS = 12, WHOLE_COUNT = 1000 };

typedef struct printing {
    const cj_tensor *tensor;
    FILE *stream;
    int width, decimals;
    bool scientific, shorten;
} printing;

static bool is_real(cj_dtype dtype)
{
    return dtype == CJ_F32 || dtype == CJ_F64 || dtype == CJ_BF16;
}

// Returns the length of the text. Numbers have a point whatever the locale is.
static int format_element(const printing *p, double value, char *text, size_t size)
{
    const bool real = is_real(p->tensor->dtype);
    if (real && !isfinite(value))
        snprintf(text, size, "%s", isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
    else if (real && p->scientific)
        cj__number_scientific(value, 6, text, size);
    else
        cj__number_fixed(value, real ? p->decimals : 0, text, size);
    if (real && isfinite(value) && !p->scientific && p->decimals == 0)
        strncat(text, ".", size - strlen(text) - 1);
    return (int)strlen(text);
}

// The digits after the point that a value needs, at most 8, as its dtype holds it.
static int decimals_of(cj_dtype dtype, double value)
{
    for (int decimals = 0; decimals < 8; decimals++) {
        char text[400];
        double back = 0;
        cj__number_parse(cj__number_fixed(value, decimals, text, sizeof text), &back);
        if (dtype == CJ_F64 ? back == value : (float)back == (float)value)
            return decimals;
    }
    return 8;
}

typedef void (*visit)(printing *p, double value);

static void each(printing *p, int64_t offset, int axis, visit visitor)
{
    const cj_tensor *tensor = p->tensor;
    if (axis == tensor->shape.rank) {
        visitor(p, cj__element_get(tensor->dtype, tensor->data, offset));
        return;
    }
    int64_t length = tensor->shape.dims[axis];
    for (int64_t i = 0; i < length; i++) {
        if (p->shorten && length > LONG_AXIS && i == EDGE)
            i = length - EDGE;
        each(p, offset + i * tensor->strides[axis], axis + 1, visitor);
    }
}

static void measure_decimals(printing *p, double value)
{
    double size = fabs(value);
    if (!is_real(p->tensor->dtype) || !isfinite(value))
        return;
    if (size >= 1e8 || (size > 0 && size < 1e-4)) {
        p->scientific = true;
        return;
    }
    int decimals = decimals_of(p->tensor->dtype, value);
    p->decimals = decimals > p->decimals ? decimals : p->decimals;
}

static void measure_width(printing *p, double value)
{
    char text[400];
    int width = format_element(p, value, text, sizeof text);
    p->width = width > p->width ? width : p->width;
}

// A text in quotes; what is no printable ASCII or UTF-8 as \xNN, as bytes are in Python.
static void print_string(FILE *stream, cj_text text)
{
    const bool plain = cj__is_utf8(text.data, (size_t)text.length);
    fputc('"', stream);
    for (int64_t i = 0; i < text.length; i++) {
        const unsigned char c = (unsigned char)text.data[i];
        if (c < 0x20 || c == 0x7f || (c >= 0x80 && !plain))
            fprintf(stream, "\\x%02x", c);
        else if (c == '"' || c == '\\')
            fprintf(stream, "\\%c", c);
        else
            fputc(c, stream);
    }
    fputc('"', stream);
}

static void print_axis(const printing *p, int64_t offset, int axis)
{
    const cj_tensor *tensor = p->tensor;
    if (axis == tensor->shape.rank && tensor->dtype == CJ_STRING) {
        print_string(p->stream, cj__string_at(tensor->data, offset));
        return;
    }
    if (axis == tensor->shape.rank) {
        char text[400];
        format_element(p, cj__element_get(tensor->dtype, tensor->data, offset), text, sizeof text);
        fprintf(p->stream, "%*s", p->width, text);
        return;
    }
    bool last = axis + 1 == tensor->shape.rank;
    int64_t length = tensor->shape.dims[axis];
    fputc('[', p->stream);
    for (int64_t i = 0; i < length; i++) {
        if (i != 0)
            fputs(last ? " " : "\n", p->stream);
        if (i != 0 && !last)
            fprintf(p->stream, "%*s", axis + 1, "");
        if (p->shorten && length > LONG_AXIS && i == EDGE) {
            fputs(last ? "... " : "...\n", p->stream);
            if (!last)
                fprintf(p->stream, "%*s", axis + 1, "");
            i = length - EDGE;
        }
        print_axis(p, offset + i * tensor->strides[axis], axis + 1);
    }
    fputc(']', p->stream);
}

cj_status cj_tensor_print(const cj_tensor *tensor, FILE *stream)
{
    if (!tensor || !stream)
        return tensor ? cj__fail_null("print: the stream") :
                        cj__fail_missing(CJ__MADE_TENSOR, "print: the tensor");
    printing p = {
        .tensor = tensor, .stream = stream, .shorten = cj_tensor_count(tensor) > WHOLE_COUNT};
    if (tensor->dtype != CJ_STRING) {
        each(&p, 0, 0, measure_decimals);
        each(&p, 0, 0, measure_width);
    }
    print_axis(&p, 0, 0);
    fputc('\n', stream);
    return ferror(stream) ? cj__fail(CJ_IO, "tensor: printing failed") : CJ_OK;
}
