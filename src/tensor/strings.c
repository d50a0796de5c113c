// Tensors of texts: see strings.h.
#include "tensor/strings.h"

#include "base/error.h"
#include "base/memory.h"

#include <string.h>

// The bytes that a text takes in a block: its length, itself, a 0, and so on to a multiple of 8.
static size_t room_of(size_t length)
{
    return (sizeof(cj__string) + length + 1 + 7) / 8 * 8;
}

// Writes a text at `at`; returns where the next one goes.
static char *put(char *at, const char *bytes, size_t length, cj__string_slot *slot)
{
    cj__string *string = (cj__string *)(void *)at;
    string->length = (int64_t)length;
    if (length > 0)
        memcpy(string->bytes, bytes, length);
    string->bytes[length] = '\0';
    slot->string = string;
    return at + room_of(length);
}

// The tensor has its texts in a block, which is freed with it.
static void own(cj_tensor *tensor, char *block)
{
    if (tensor->released)
        tensor->released(tensor->context);
    tensor->released = cj__free;
    tensor->context = block;
}

cj_status cj__strings_own(cj_tensor *tensor)
{
    if (tensor->dtype != CJ_STRING)
        return CJ_OK;
    const int64_t count = cj_tensor_count(tensor);
    cj__string_slot *slots = (cj__string_slot *)(void *)tensor->data;
    size_t bytes = 0;
    for (int64_t i = 0; i < count; i++)
        if (slots[i].string)
            bytes += room_of((size_t)slots[i].string->length);
    char *block = cj__new(bytes, 1), *at = block;
    if (!block) { // texts of others may be gone soon
        if (count > 0)
            memset(slots, 0, (size_t)count * sizeof *slots);
        return CJ_OUT_OF_MEMORY;
    }
    for (int64_t i = 0; i < count; i++)
        if (slots[i].string)
            at = put(at, slots[i].string->bytes, (size_t)slots[i].string->length, &slots[i]);
    own(tensor, block);
    return CJ_OK;
}

static size_t length_of(const cj_texts *texts, int64_t index)
{
    const char *text = texts->values[index];
    return texts->lengths ? (size_t)texts->lengths[index] : text ? strlen(text) : 0;
}

static cj_status check_texts(const cj_texts *texts)
{
    if (texts->count < 0 || (texts->count > 0 && !texts->values))
        return cj__fail(CJ_INVALID_ARGUMENT, "tensor: a list of %lld texts",
                        (long long)texts->count);
    for (int64_t i = 0; texts->lengths && i < texts->count; i++)
        if (texts->lengths[i] < 0 || (texts->lengths[i] > 0 && !texts->values[i]))
            return cj__fail(CJ_INVALID_ARGUMENT, "tensor: text %lld has %lld bytes%s", (long long)i,
                            (long long)texts->lengths[i], texts->values[i] ? "" : " at no address");
    return CJ_OK;
}

cj_status cj__strings_from(const cj_shape *shape, const cj_texts *texts, cj_tensor **tensor)
{
    size_t bytes = 0;
    CJ_TRY(check_texts(texts));
    CJ_TRY(cj_tensor_new(CJ_STRING, *shape, tensor));
    for (int64_t i = 0; i < texts->count; i++)
        bytes += room_of(length_of(texts, i));
    char *at = cj__new(bytes, 1);
    if (!at) {
        cj_release(*tensor);
        *tensor = NULL;
        return CJ_OUT_OF_MEMORY;
    }
    own(*tensor, at);
    cj__string_slot *slots = (cj__string_slot *)(void *)(*tensor)->data;
    for (int64_t i = 0; i < texts->count; i++) {
        const size_t length = length_of(texts, i);
        if (length > 0)
            at = put(at, texts->values[i], length, &slots[i]);
    }
    return CJ_OK;
}

cj_status cj_tensor_from_texts(cj_shape shape, cj_texts texts, cj_tensor **tensor)
{
    char text[160];
    if (!tensor)
        return cj__fail_null("tensor: the place for the new tensor");
    *tensor = NULL;
    const int64_t needed = cj_shape_count(&shape);
    if (needed >= 0 && needed != texts.count)
        return cj__fail(CJ_SHAPE_MISMATCH, "tensor: shape %s holds %lld texts, not %lld",
                        cj_shape_text(&shape, text, sizeof text), (long long)needed,
                        (long long)texts.count);
    return cj__strings_from(&shape, &texts, tensor);
}

cj_text cj_tensor_text(const cj_tensor *tensor, const int64_t *index)
{
    int64_t offset = 0;
    const cj_text none = {"", 0};
    if (cj__tensor_offset(tensor, index, &offset) != CJ_OK)
        return none;
    if (tensor->dtype != CJ_STRING) {
        cj__fail(CJ_INVALID_ARGUMENT, "tensor: its elements are %s, not texts",
                 cj_dtype_name(tensor->dtype));
        return none;
    }
    return cj__string_at(tensor->data, offset);
}
