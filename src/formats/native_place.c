// The place in a run as JSON, and what callbacks remember: numbers in the JSON, tensors beside it.
#include "formats/native_state.h"

#include "base/error.h"
#include "base/memory.h"

#include <stddef.h>

// The counts of a place: their keys and where they are. Files of version 0.1 lack some: 0 then.
static const struct count {
    const char *key;
    size_t offset;
    bool optional;
} counts[] = {
#define COUNT(member, ...)                                                 \
    {                                                                      \
        .key = #member, .offset = offsetof(cj__place, member), __VA_ARGS__ \
    }
    COUNT(epoch, .optional = false),      COUNT(batch, .optional = false),
    COUNT(samples, .optional = false),    COUNT(batch_size, .optional = false),
    COUNT(data_count, .optional = false), COUNT(steps, .optional = false),
    COUNT(first_epoch, .optional = true), COUNT(passes, .optional = true),
#undef COUNT
};
enum { COUNT_COUNT = sizeof counts / sizeof counts[0], TOLD_MAX = 1 << 20 };

// ---- Writing ----

static json_t *numbers_to_json(cj__json *b, const double *values, int count)
{
    json_t *list = cj__json_list(b);
    for (int i = 0; i < count; i++)
        cj__json_append(b, list, cj__json_double(b, values[i]));
    return list;
}

static json_t *memories_to_json(cj__json *b, const cj__train_state *state)
{
    json_t *list = cj__json_list(b);
    for (int i = 0; i < state->memory_count; i++) {
        const cj__memory *memory = &state->memories[i];
        json_t *object = cj__json_object(b);
        cj__json_set(b, object, "name", cj__json_text(b, memory->name));
        cj__json_set(b, object, "values", numbers_to_json(b, memory->values, memory->count));
        if (memory->tensor_count > 0)
            cj__json_set(b, object, "tensors", cj__json_int(b, memory->tensor_count));
        cj__json_append(b, list, object);
    }
    return list;
}

cj_status cj__place_to_json(const cj__train_state *state, json_t **object)
{
    const cj__place *place = &state->place;
    cj__json b = {0};
    json_t *all = cj__json_object(&b);
    for (int i = 0; i < COUNT_COUNT; i++) {
        const int64_t *count =
            (const int64_t *)(const void *)((const char *)place + counts[i].offset);
        cj__json_set(&b, all, counts[i].key, cj__json_int(&b, *count));
    }
    cj__json_set(&b, all, "learning_rate", cj__json_double(&b, place->rate));
    cj__json_set(&b, all, "event", cj__json_int(&b, (int64_t)place->event));
    cj__json_set(&b, all, "told", cj__json_int(&b, place->told));
    cj__json_set(&b, all, "sums", numbers_to_json(&b, place->sums, place->sum_count));
    cj__json_set(&b, all, "weights", numbers_to_json(&b, place->weights, place->sum_count));
    cj__json_set(&b, all, "validation", numbers_to_json(&b, place->val, place->val_count));
    if (state->metric_state_count > 0)
        cj__json_set(&b, all, "metric_states",
                     numbers_to_json(&b, state->metric_states, state->metric_state_count));
    cj__json_set(&b, all, "callbacks", memories_to_json(&b, state));
    *object = cj__json_end(&b, all);
    return b.status;
}

// ---- Reading ----

static cj_status read_count(const json_t *place, const char *key, bool optional, int64_t *count)
{
    const json_t *value = json_object_get(place, key);
    *count = json_integer_value(value);
    if ((json_is_integer(value) && *count >= 0) || (optional && !value))
        return CJ_OK;
    return cj__fail(CJ_BAD_FILE, "the place in training has no count \"%s\"", key);
}

static cj_status read_numbers(const json_t *place, const char *key, double *values, int *count)
{
    const json_t *list = json_object_get(place, key);
    if (!json_is_array(list) || json_array_size(list) > CJ__MAX_VALUES)
        return cj__fail(CJ_BAD_FILE,
                        "the place in training has no list \"%s\" of at most %d numbers", key,
                        CJ__MAX_VALUES);
    *count = (int)json_array_size(list);
    for (int i = 0; i < *count; i++)
        values[i] = cj__json_double_value(json_array_get(list, (size_t)i));
    return CJ_OK;
}

// States of metrics; files of models without such metrics have none.
static cj_status read_metric_states(cj__train_state *state, const json_t *place)
{
    const json_t *list = json_object_get(place, "metric_states");
    const size_t count = json_array_size(list);
    if ((list && !json_is_array(list)) || count > INT32_MAX)
        return cj__fail(CJ_BAD_FILE, "the place in training: \"metric_states\" is no list");
    double *values = cj__new(count + 1, sizeof *values);
    if (!values)
        return CJ_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        values[i] = cj__json_double_value(json_array_get(list, i));
    const cj_status status = cj__state_keep_metrics(state, values, (int)count);
    cj__free(values);
    return status;
}

static cj_status read_memory(cj__train_state *state, const json_t *memory)
{
    const char *name = json_string_value(json_object_get(memory, "name"));
    const json_t *list = json_object_get(memory, "values");
    const size_t count = json_array_size(list);
    if (!name || !json_is_array(list))
        return cj__fail(CJ_BAD_FILE, "a callback's memory has no name or no list of values");
    double *values = cj__new(count, sizeof *values);
    if (!values)
        return CJ_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        values[i] = cj__json_double_value(json_array_get(list, i));
    const cj_status status = cj__state_remember(state, name, values, (int)count, NULL, 0);
    cj__free(values);
    return status;
}

cj_status cj__place_from_json(cj__train_state *state, const json_t *object)
{
    cj__place place = {0};
    int64_t event = 0, told = 0;
    int weights = 0;
    for (int i = 0; i < COUNT_COUNT; i++)
        CJ_TRY(read_count(object, counts[i].key, counts[i].optional,
                          (int64_t *)(void *)((char *)&place + counts[i].offset)));
    place.rate = cj__json_double_value(json_object_get(object, "learning_rate"));
    CJ_TRY(read_count(object, "event", false, &event));
    CJ_TRY(read_count(object, "told", false, &told));
    CJ_TRY(read_numbers(object, "sums", place.sums, &place.sum_count));
    CJ_TRY(read_numbers(object, "weights", place.weights, &weights));
    CJ_TRY(read_numbers(object, "validation", place.val, &place.val_count));
    if (event > CJ__EVENT_EPOCH_END || told > TOLD_MAX || weights != place.sum_count ||
        (place.val_count != 0 && place.val_count != place.sum_count))
        return cj__fail(CJ_BAD_FILE, "the place in training contradicts itself");
    place.event = (cj__event)event;
    place.told = (int)told;
    CJ_TRY(read_metric_states(state, object));
    state->place = place;
    cj__state_forget(state);
    const json_t *memories = json_object_get(object, "callbacks");
    for (size_t i = 0; i < json_array_size(memories); i++)
        CJ_TRY(read_memory(state, json_array_get(memories, i)));
    return CJ_OK;
}
