// The elements of datasets in HDF5 files, as numbers and as texts.
#include "formats/hdf5_parts.h"

#include "base/error.h"
#include "base/half.h"
#include "base/memory.h"
#include "base/text.h"

#include <string.h>

// The bytes of all elements in a new block.
static cj_status read_elements(cj__hdf5 *file, const cj__hdf5_object *object,
                               unsigned char **elements)
{
    cj__h5_bytes span = {0};
    *elements = NULL;
    if (object->count > SIZE_MAX / 2 / object->size)
        return cj__hdf5_damaged("a dataset is larger than memory");
    const uint64_t bytes = object->count * object->size;
    if (object->layout == CJ__HDF5_NOWHERE && bytes != 0)
        return cj__hdf5_unsupported("a dataset whose elements were never written");
    if (object->layout == CJ__HDF5_PLAIN && object->filter_count != 0)
        return cj__hdf5_damaged("a dataset without chunks has filters");
    if (object->layout == CJ__HDF5_PLAIN && bytes > object->bytes)
        return cj__hdf5_damaged("a dataset has less bytes than its elements need");
    if (object->layout == CJ__HDF5_PLAIN) {
        CJ_TRY(cj__hdf5_span(file, object->place, bytes, "a dataset", &span));
        CJ_TRY(cj__hdf5_spend(file, bytes));
    } else if (object->layout == CJ__HDF5_CHUNKS) {
        CJ_TRY(cj__hdf5_chunks_size(file, object));
    }
    *elements = cj__new((size_t)bytes + 1, 1);
    if (!*elements)
        return CJ_OUT_OF_MEMORY;
    if (bytes == 0)
        return CJ_OK;
    if (object->layout == CJ__HDF5_CHUNKS)
        return cj__hdf5_chunks(file, object, *elements);
    memcpy(*elements, span.at, (size_t)bytes);
    return CJ_OK;
}

// ---- Numbers ----

static double float_value(uint64_t bits, uint32_t size)
{
    const uint32_t low = (uint32_t)bits;
    float single;
    double value;
    if (size == 2)
        return (double)cj__half_value((uint16_t)bits);
    if (size == 4) {
        memcpy(&single, &low, sizeof single);
        return single;
    }
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double number_at(const cj__hdf5_object *object, const unsigned char *element)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < object->size; i++)
        bits |= (uint64_t)element[object->big_endian ? object->size - 1 - i : i] << 8 * i;
    if (object->kind == CJ__HDF5_FLOAT)
        return float_value(bits, object->size);
    if (!object->is_signed)
        return (double)bits;
    const int above = 64 - 8 * (int)object->size;
    const uint64_t shifted = bits << above;
    const bool negative = shifted >> 63;
    return negative ? -(double)((~shifted >> above) + 1) : (double)bits;
}

cj_status cj__hdf5_numbers(cj__hdf5 *file, const cj__hdf5_object *object, double **numbers)
{
    unsigned char *elements = NULL;
    *numbers = NULL;
    if (object->kind != CJ__HDF5_INTEGER && object->kind != CJ__HDF5_FLOAT)
        return cj__fail(CJ_BAD_FILE, "\"%s\" is no dataset of numbers", object->name);
    cj_status status = read_elements(file, object, &elements);
    if (status == CJ_OK) {
        *numbers = cj__new((size_t)object->count + 1, sizeof **numbers);
        status = *numbers ? CJ_OK : CJ_OUT_OF_MEMORY;
    }
    for (uint64_t i = 0; status == CJ_OK && i < object->count; i++)
        (*numbers)[i] = number_at(object, elements + i * object->size);
    cj__free(elements);
    return status;
}

// ---- Texts ----

// Object `index` of the collection of objects at that address.
static cj_status find_in_heap(cj__hdf5 *file, uint64_t address, uint32_t index,
                              cj__h5_bytes *object)
{
    cj__h5_bytes head = {0}, all = {0};
    CJ_TRY(cj__hdf5_span(file, address, 16, "a heap of texts", &head));
    if (memcmp(head.at, "GCOL", 4) != 0 || head.at[4] != 1)
        return cj__hdf5_damaged("a heap of texts is none");
    CJ_TRY(cj__hdf5_span(file, address, cj__le(head.at + 8, 8), "a heap of texts", &all));
    // Most often it is the next after the one that was found last.
    uint64_t at = file->heap == address && file->heap_index < index ? file->heap_at : 16;
    while (at + 16 <= all.size) {
        const uint64_t found = cj__le(all.at + at, 2), size = cj__le(all.at + at + 8, 8);
        if (found == 0 || size > all.size - at - 16)
            break;
        CJ_TRY(cj__hdf5_spend(file, 1)); // of the work that a file may ask for
        if (found == index) {
            file->heap = address, file->heap_at = at, file->heap_index = index;
            *object = (cj__h5_bytes){all.at + at + 16, size};
            return CJ_OK;
        }
        at += 16 + (size + 7) / 8 * 8;
    }
    return cj__hdf5_damaged("a text is missing in its heap");
}

// The bytes of a text up to its end, or to the first 0: what follows one is none of it.
static cj_status text_at(cj__hdf5 *file, const cj__hdf5_object *object,
                         const unsigned char *element, cj__h5_bytes *text)
{
    *text = (cj__h5_bytes){element, object->size};
    if (object->variable) {
        const uint64_t length = cj__le(element, 4), address = cj__le(element + 4, 8);
        *text = (cj__h5_bytes){element, 0};
        if (length == 0)
            return CJ_OK;
        CJ_TRY(find_in_heap(file, address, (uint32_t)cj__le(element + 12, 4), text));
        if (length > text->size)
            return cj__hdf5_damaged("a text is cut short");
        text->size = length;
    }
    const unsigned char *end = text->size > 0 ? memchr(text->at, 0, (size_t)text->size) : NULL;
    if (end)
        text->size = (uint64_t)(end - text->at);
    return cj__is_utf8((const char *)text->at, (size_t)text->size) ?
               CJ_OK :
               cj__fail(CJ_BAD_FILE, "\"%s\" has a text that is not UTF-8", object->name);
}

// All texts one after another, and then where each begins.
static cj_status gather_texts(cj__hdf5 *file, const cj__hdf5_object *object,
                              const unsigned char *elements, char ***texts)
{
    cj__text all = {0};
    cj_status status = CJ_OK;
    for (uint64_t i = 0; status == CJ_OK && i < object->count; i++) {
        cj__h5_bytes text = {0};
        status = text_at(file, object, elements + i * object->size, &text);
        if (status == CJ_OK)
            status = cj__hdf5_spend(file, text.size + 1 + sizeof(char *));
        if (status == CJ_OK) {
            cj__text_add_bytes(&all, (const char *)text.at, (size_t)text.size);
            cj__text_add_bytes(&all, "", 1);
        }
    }
    if (status == CJ_OK && object->count == 0)
        cj__text_add_bytes(&all, "", 1);
    if (status == CJ_OK)
        status = cj__text_status(&all);
    *texts = status == CJ_OK ? cj__new((size_t)object->count + 1, sizeof **texts) : NULL;
    if (!*texts) {
        cj__text_free(&all);
        return status == CJ_OK ? CJ_OUT_OF_MEMORY : status;
    }
    char *at = (*texts)[0] = all.data;
    for (uint64_t i = 0; i < object->count; i++, at += strlen(at) + 1)
        (*texts)[i] = at;
    return CJ_OK;
}

cj_status cj__hdf5_texts(cj__hdf5 *file, const cj__hdf5_object *object, char ***texts)
{
    unsigned char *elements = NULL;
    *texts = NULL;
    if (object->kind != CJ__HDF5_TEXT)
        return cj__fail(CJ_BAD_FILE, "\"%s\" is no dataset of texts", object->name);
    cj_status status = read_elements(file, object, &elements);
    if (status == CJ_OK)
        status = gather_texts(file, object, elements, texts);
    cj__free(elements);
    return status;
}
