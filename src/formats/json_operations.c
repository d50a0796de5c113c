#include "formats/json_operations.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "formats/json_fields.h"
#include "layers/operation.h"
#include "tensor/tensor.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LITERAL_MAX = 1 << 20 }; // elements

bool cj__json_is_operation(const json_t *object)
{
    static const char *const modules[] = {"keras.src.ops.", "keras.src.activations."};
    const char *module = cj__json_text_at(object, "module");
    for (size_t i = 0; module && i < sizeof modules / sizeof modules[0]; i++)
        if (strncmp(module, modules[i], strlen(modules[i])) == 0)
            return true;
    return false;
}

static bool is_call_setting(const cj__word *word, const char *key)
{
    for (const char *const *name = word->call_settings; name && *name; name++)
        if (strcmp(*name, key) == 0)
            return true;
    return false;
}

// Layers have a policy under that key, which is read and written elsewhere; operations a setting.
static bool is_dtype(const cj__field *field)
{
    return strcmp(field->key, "dtype") == 0;
}

// ---- Writing ----

json_t *cj__operation_to_json(cj__json *b, const cj_layer *layer)
{
    const cj__word *word = cj__operation_word(layer);
    const cj__choice *choice = cj__word_settings(word);
    json_t *object = cj__json_object(b), *config = cj__json_object(b);
    cj__json_set(b, config, "name", cj__json_text(b, cj_layer_name(layer)));
    for (int i = 0; i < choice->field_count; i++) {
        const cj__field *field = &choice->fields[i];
        const void *settings = cj__operation_settings(layer);
        if (is_dtype(field))
            cj__json_set(
                b, config, field->key,
                cj__json_text(b, *(const char *const *)(const void *)((const char *)settings +
                                                                      field->offset)));
        else if (!is_call_setting(word, field->key))
            cj__fields_to_json(b, field, 1, settings, config);
    }
    cj__json_set(b, object, "module", cj__json_text(b, word->module));
    cj__json_set(b, object, "class_name", cj__json_text(b, word->choice.class_name));
    cj__json_set(b, object, "config", config);
    cj__json_set(b, object, "registered_name", cj__json_text(b, word->choice.class_name));
    return object;
}

static json_t *special(cj__json *b, const char *class_name, json_t *config)
{
    json_t *object = cj__json_object(b);
    cj__json_set(b, object, "class_name", cj__json_text(b, class_name));
    cj__json_set(b, object, "config", config);
    return object;
}

static json_t *write_entry(cj__json *b, const struct cj__item *item)
{
    if (item->kind == CJ__ITEM_INDEX)
        return cj__json_int(b, item->start);
    if (item->kind == CJ__ITEM_NEW)
        return cj__json_null(b);
    json_t *config = cj__json_object(b);
    if (item->kind == CJ__ITEM_REST)
        return special(b, "__ellipsis__", config);
    cj__json_set(b, config, "start", item->from ? cj__json_int(b, item->start) : cj__json_null(b));
    cj__json_set(b, config, "stop", item->to ? cj__json_int(b, item->stop) : cj__json_null(b));
    cj__json_set(b, config, "step",
                 item->step == 1 ? cj__json_null(b) : cj__json_int(b, item->step));
    return special(b, "__slice__", config);
}

static json_t *write_key(cj__json *b, const cj__item_settings *key)
{
    json_t *list = cj__json_list(b);
    for (int64_t i = 0; i < key->count; i++)
        cj__json_append(b, list, write_entry(b, &key->items[i]));
    return list;
}

// The place among a word's operands of the one at `index` of those that are given.
static int operand_of(const cj__word *word, const void *settings, int index)
{
    const int64_t given = word->some ? *(const int64_t *)settings : 0;
    if (given == 0)
        return index;
    for (int i = 0; word->operands[i]; i++)
        if ((given >> i & 1) && index-- == 0)
            return i;
    return 0;
}

// The pairs of "h=2 w=3" as arguments.
static void write_pairs(cj__json *b, const char *text, json_t *named)
{
    while (text && *text) {
        char name[64];
        const size_t length = strcspn(text, "="), skipped = strspn(text, " ,");
        if (length >= sizeof name || length <= skipped || !text[length])
            return;
        memcpy(name, text + skipped, length - skipped);
        name[length - skipped] = '\0';
        cj__json_set(b, named, name, cj__json_int(b, strtoll(text + length + 1, NULL, 10)));
        text += length + 1;
        text += strcspn(text, " ,");
        text += strspn(text, " ,");
    }
}

static void write_call_settings(cj__json *b, const cj__word *word, const void *settings,
                                json_t *named)
{
    const cj__choice *choice = cj__word_settings(word);
    for (int i = 0; i < choice->field_count; i++) {
        const cj__field *field = &choice->fields[i];
        if (word->pairs && strcmp(word->pairs, field->key) == 0)
            write_pairs(
                b, *(const char *const *)(const void *)((const char *)settings + field->offset),
                named);
        else if (is_call_setting(word, field->key))
            cj__fields_to_json(b, field, 1, settings, named);
        else
            continue;
        // a list of reals must be an array for Keras
        json_t *list = json_object_get(named, field->key);
        if (field->kind == CJ__FIELD_NUMBERS && !field->whole && json_is_array(list)) {
            json_t *config = cj__json_object(b);
            cj__json_set(b, config, "value", json_incref(list));
            cj__json_set(b, config, "dtype", cj__json_text(b, "float32"));
            cj__json_set(b, named, field->key, special(b, "__numpy__", config));
        }
    }
}

json_t *cj__operation_node(cj__json *b, const cj_layer *layer, json_t *const *operands, int count)
{
    const cj__word *word = cj__operation_word(layer);
    const void *settings = cj__operation_settings(layer);
    json_t *object = cj__json_object(b), *args = cj__json_list(b), *named = cj__json_object(b);
    json_t *places = args;
    for (int i = 0; i < count; i++) {
        const int place = operand_of(word, settings, i);
        if (word->lists && i % (count / word->lists) == 0)
            cj__json_append(b, args, places = cj__json_list(b));
        if (word->by_place && place >= word->by_place)
            cj__json_set(b, named, word->operands[place], operands[i]);
        else
            cj__json_append(b, places, operands[i]);
    }
    for (int i = word->by_place; word->some && word->operands[i]; i++)
        if (!json_object_get(named, word->operands[i])) // Keras has some of these without a default
            cj__json_set(b, named, word->operands[i], cj__json_null(b));
    if (word->by_key)
        cj__json_append(b, args, write_key(b, settings));
    write_call_settings(b, word, settings, named);
    cj__json_set(b, object, "args", args);
    cj__json_set(b, object, "kwargs", named);
    return object;
}

static json_t *write_element(cj__json *b, const cj_tensor *value, int64_t index)
{
    const double number = cj__element_get(value->dtype, value->data, index);
    if (!isfinite(number) && b->status == CJ_OK)
        b->status = cj__fail(CJ_UNSUPPORTED,
                             "a constant between layers with an element of %g: a file takes finite "
                             "numbers",
                             number);
    if (value->dtype == CJ_F32 || value->dtype == CJ_F64)
        return cj__json_real(b, number);
    return value->dtype == CJ_BOOL ? cj__json_bool(b, number > 0) :
                                     cj__json_int(b, (int64_t)number);
}

static json_t *write_elements(cj__json *b, const cj_tensor *value, int axis, int64_t *next)
{
    if (axis == value->shape.rank)
        return write_element(b, value, (*next)++);
    json_t *list = cj__json_list(b);
    for (int64_t i = 0; i < value->shape.dims[axis]; i++)
        cj__json_append(b, list, write_elements(b, value, axis + 1, next));
    return list;
}

json_t *cj__json_literal(cj__json *b, const cj_tensor *value)
{
    int64_t next = 0;
    if (cj_tensor_count(value) > LITERAL_MAX) {
        if (b->status == CJ_OK)
            b->status = cj__fail(CJ_UNSUPPORTED,
                                 "a constant of %lld numbers between layers: a file takes %d",
                                 (long long)cj_tensor_count(value), LITERAL_MAX);
        return NULL;
    }
    json_t *numbers = write_elements(b, value, 0, &next);
    if (value->shape.rank == 0)
        return numbers;
    json_t *config = cj__json_object(b);
    cj__json_set(b, config, "value", numbers);
    cj__json_set(b, config, "dtype", cj__json_text(b, cj_dtype_name(value->dtype)));
    return special(b, "__numpy__", config);
}

// ---- Reading ----

cj_layer *cj__operation_from_json(const json_t *object)
{
    const json_t *config = json_object_get(object, "config");
    const char *class_name = cj__json_text_at(object, "class_name");
    const char *name = cj__json_text_at(object, "name");
    name = name ? name : cj__json_text_at(config, "name");
    const cj__word *word = cj__word_find(cj__json_text_at(object, "module"), class_name);
    if (!word)
        return cj__build_failed(CJ__MADE_LAYER);
    const cj__choice *choice = cj__word_settings(word);
    const cj__config what = {choice->fields, choice->field_count, word->keys};
    void *settings = cj__copy_bytes(choice->defaults, choice->args_size);
    cj__texts texts = {0};
    cj_layer *layer = NULL;
    const char *who = name ? name : class_name;
    cj_status status = settings || choice->args_size == 0 ? CJ_OK : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK)
        status = cj__config_read(&what, config, settings, &texts, who);
    for (int i = 0; status == CJ_OK && i < choice->field_count; i++)
        if (is_dtype(&choice->fields[i]) && json_object_get(config, "dtype"))
            status = cj__field_from_json(&choice->fields[i], 0, json_object_get(config, "dtype"),
                                         settings, &texts, who);
    if (status == CJ_OK)
        layer = cj__operation_new(word, settings, name);
    cj__free(settings);
    cj__texts_free(&texts);
    return layer ? layer : cj__build_failed(CJ__MADE_LAYER);
}

static bool is_special(const json_t *value, const char *class_name)
{
    const char *name = cj__json_text_at(value, "class_name");
    return name && strcmp(name, class_name) == 0;
}

static cj_status read_bound(const json_t *value, bool *given, int64_t *number, const char *who)
{
    *given = value && !json_is_null(value);
    if (*given && !json_is_integer(value))
        return cj__fail(CJ_UNSUPPORTED, "%s: a bound of a slice is no whole number", who);
    if (*given)
        *number = json_integer_value(value);
    return CJ_OK;
}

static cj_status read_entry(const json_t *value, struct cj__item *item, const char *who)
{
    const json_t *config = json_object_get(value, "config");
    *item = (struct cj__item){.step = 1};
    if (json_is_null(value)) {
        item->kind = CJ__ITEM_NEW;
    } else if (json_is_integer(value)) {
        item->kind = CJ__ITEM_INDEX;
        item->from = true;
        item->start = json_integer_value(value);
    } else if (is_special(value, "__ellipsis__")) {
        item->kind = CJ__ITEM_REST;
    } else if (is_special(value, "__slice__")) {
        bool has_step;
        CJ_TRY(read_bound(json_object_get(config, "start"), &item->from, &item->start, who));
        CJ_TRY(read_bound(json_object_get(config, "stop"), &item->to, &item->stop, who));
        CJ_TRY(read_bound(json_object_get(config, "step"), &has_step, &item->step, who));
    } else {
        return cj__fail(CJ_UNSUPPORTED,
                        "%s: its key has an entry that is neither a whole number, a slice, \"...\" "
                        "nor a new axis",
                        who);
    }
    return CJ_OK;
}

static cj_status read_key(const json_t *value, cj__item_settings *key, const char *who)
{
    const size_t count = json_is_array(value) ? json_array_size(value) : 1;
    if (count > CJ__ITEMS_MAX)
        return cj__fail(CJ_UNSUPPORTED, "%s: its key has more than %d entries", who, CJ__ITEMS_MAX);
    key->count = (int64_t)count;
    for (size_t i = 0; i < count; i++)
        CJ_TRY(read_entry(json_is_array(value) ? json_array_get(value, i) : value, &key->items[i],
                          who));
    return CJ_OK;
}

// What an application is read into: its operands at their places, NULL for those that are left out, and
// a copy of the layer's settings.
typedef struct reading {
    const char *who;
    const cj__word *word;
    const json_t **operands;
    size_t capacity;
    int count;
    void *settings;
    cj__texts texts;
    cj__text pairs;
} reading;

static cj_status add_operand(reading *r, int place, const json_t *value)
{
    if (place >= r->word->most)
        return cj__fail(CJ_UNSUPPORTED, "%s: an application gives it more than %d operands", r->who,
                        r->word->most);
    if (!cj__reserve((void **)&r->operands, &r->capacity, (size_t)place + 1, sizeof *r->operands))
        return CJ_OUT_OF_MEMORY;
    for (; r->count <= place; ++r->count)
        r->operands[r->count] = NULL;
    r->operands[place] = json_is_null(value) ? NULL : value;
    return CJ_OK;
}

// An argument that is not supported here, unless it is left out.
static cj_status refuse_argument(const reading *r, const char *key, const json_t *value)
{
    if (json_is_null(value))
        return CJ_OK;
    return cj__fail(CJ_UNSUPPORTED,
                    "%s: an application gives it \"%.100s\", which is not supported", r->who, key);
}

// A length with a name that the call has among its arguments.
static cj_status add_pair(reading *r, const char *key, const json_t *value)
{
    if (!json_is_integer(value))
        return refuse_argument(r, key, value);
    cj__text_add(&r->pairs, "%s%s=%" PRId64, r->pairs.length ? " " : "", key,
                 (int64_t)json_integer_value(value));
    return cj__text_status(&r->pairs);
}

static cj_status read_named(reading *r, const char *key, const json_t *value)
{
    const cj__choice *choice = cj__word_settings(r->word);
    for (int i = 0; !r->word->lists && r->word->operands[i]; i++)
        if (strcmp(r->word->operands[i], key) == 0)
            return add_operand(r, i, value);
    for (int i = 0; i < choice->field_count; i++)
        if (is_call_setting(r->word, key) && strcmp(choice->fields[i].key, key) == 0 &&
            !(r->word->pairs && strcmp(r->word->pairs, key) == 0))
            return cj__field_from_json(&choice->fields[i], 0, value, r->settings, &r->texts,
                                       r->who);
    if (r->word->by_key && strcmp(key, "key") == 0)
        return read_key(value, r->settings, r->who);
    return r->word->pairs ? add_pair(r, key, value) : refuse_argument(r, key, value);
}

// The name of the argument at a place of the call; NULL for one that there is not.
static const char *argument_at(const cj__word *word, size_t place)
{
    size_t operands = 0, settings = 0;
    while (word->operands[operands])
        operands++;
    while (word->call_settings && word->call_settings[settings])
        settings++;
    if (word->call) {
        for (size_t i = 0; word->call[i]; i++)
            if (i == place)
                return word->call[i];
        return NULL;
    }
    if (place < operands)
        return word->operands[place];
    return place - operands < settings ? word->call_settings[place - operands] : NULL;
}

static cj_status read_place(reading *r, size_t place, const json_t *value)
{
    if (place < (size_t)r->word->lists) {
        if (!json_is_array(value))
            return add_operand(r, r->count, value);
        for (size_t i = 0; i < json_array_size(value); i++)
            CJ_TRY(add_operand(r, r->count, json_array_get(value, i)));
        return CJ_OK;
    }
    if (r->word->by_key && place == 1)
        return read_key(value, r->settings, r->who);
    if (!r->word->call && !r->word->lists && place < (size_t)r->word->most)
        return add_operand(r, (int)place, value);
    const char *name = argument_at(r->word, place);
    if (name)
        return read_named(r, name, value);
    return json_is_null(value) ?
               CJ_OK :
               cj__fail(CJ_UNSUPPORTED, "%s: argument %zu of an application is not supported",
                        r->who, place);
}

static cj_status read_arguments(reading *r, const json_t *node)
{
    const json_t *args = json_object_get(node, "args"), *named = json_object_get(node, "kwargs"),
                 *value = NULL;
    const char *key = NULL;
    for (size_t i = 0; i < json_array_size(args); i++)
        CJ_TRY(read_place(r, i, json_array_get(args, i)));
    for (int i = 0; i < r->word->lists; i++) // lists are in their order
        if ((value = json_object_get(named, r->word->operands[i])))
            CJ_TRY(read_place(r, (size_t)i, value));
    json_object_foreach ((json_t *)(uintptr_t)named, key, value) {
        bool is_list = false;
        for (int i = 0; i < r->word->lists; i++)
            is_list = is_list || strcmp(r->word->operands[i], key) == 0;
        if (!is_list)
            CJ_TRY(read_named(r, key, value));
    }
    return CJ_OK;
}

// Leaves the operands that are there, and notes which they are.
static cj_status close_up(reading *r)
{
    int64_t given = 0;
    int there = 0;
    while (r->count > 0 && !r->operands[r->count - 1])
        r->count--;
    for (int i = 0; i < r->count; i++) {
        if (!r->operands[i] && !r->word->some)
            return cj__fail(CJ_UNSUPPORTED, "%s: an application leaves out its operand %d", r->who,
                            i);
        if (!r->operands[i])
            continue;
        if (r->word->some)
            given |= (int64_t)1 << i;
        r->operands[there++] = r->operands[i];
    }
    if (r->word->some)
        *(int64_t *)r->settings = given;
    r->count = there;
    if (there == 0)
        return cj__fail(CJ_BAD_FILE, "%s: an application has no operands", r->who);
    if (r->word->lists > 1 && there % r->word->lists != 0)
        return cj__fail(CJ_BAD_FILE, "%s: its lists have different lengths", r->who);
    return CJ_OK;
}

static const char **pairs_setting(const reading *r)
{
    const cj__choice *choice = cj__word_settings(r->word);
    int i = 0;
    while (strcmp(choice->fields[i].key, r->word->pairs) != 0)
        i++;
    return (const char **)(void *)((char *)r->settings + choice->fields[i].offset);
}

cj_status cj__operation_read_node(cj_layer *layer, const json_t *node, const json_t ***operands,
                                  int *count)
{
    const cj__word *word = cj__operation_word(layer);
    const void *own = cj__operation_settings(layer);
    reading r = {.who = cj_layer_name(layer), .word = word};
    *operands = NULL;
    *count = 0;
    if (own && !(r.settings = cj__copy_bytes(own, cj__word_settings(word)->args_size)))
        return CJ_OUT_OF_MEMORY;
    cj_status status = read_arguments(&r, node);
    if (status == CJ_OK)
        status = close_up(&r);
    if (status == CJ_OK && word->pairs)
        *pairs_setting(&r) = r.pairs.data;
    if (status == CJ_OK && own)
        status = cj__operation_set(layer, r.settings);
    *operands = r.operands;
    *count = r.count;
    cj__free(r.settings);
    cj__texts_free(&r.texts);
    cj__text_free(&r.pairs);
    return status;
}

// ---- Literals ----

cj_dtype cj__literal_dtype(const cj_layer *layer, cj_symbol *const *operands, int count, int index)
{
    const cj__word *word = cj__operation_word(layer);
    bool any = false;
    if (!word->lists && strstr(word->operands[index], "indices"))
        return CJ_I32;
    for (int i = 0; i < count; i++) {
        if (operands[i] && cj_symbol_dtype(operands[i]) != CJ_BOOL)
            return cj_symbol_dtype(operands[i]);
        any = any || (operands[i] && strcmp(word->choice.class_name, "Where") != 0);
    }
    return any ? CJ_BOOL : CJ_F32;
}

// The shape of nested lists of numbers; false if they are none.
static bool shape_of(const json_t *value, cj_shape *shape)
{
    *shape = (cj_shape){0};
    while (json_is_array(value)) {
        if (shape->rank == CJ_MAX_RANK || json_array_size(value) == 0)
            return false;
        shape->dims[shape->rank++] = (int64_t)json_array_size(value);
        value = json_array_get(value, 0);
    }
    return json_is_number(value) || json_is_boolean(value);
}

static bool read_elements(const json_t *value, const cj_shape *shape, int axis, cj_tensor *to,
                          int64_t *next)
{
    if (axis == shape->rank) {
        const double number =
            json_is_boolean(value) ? json_is_true(value) : json_number_value(value);
        cj__element_set(to->dtype, to->data, (*next)++, number);
        return json_is_number(value) || json_is_boolean(value);
    }
    if (!json_is_array(value) || json_array_size(value) != (size_t)shape->dims[axis])
        return false;
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!read_elements(json_array_get(value, i), shape, axis + 1, to, next))
            return false;
    return true;
}

cj_symbol *cj__literal_symbol(const cj_layer *layer, const json_t *literal, cj_dtype dtype)
{
    const char *who = cj_layer_name(layer);
    const bool array = is_special(literal, "__numpy__") || is_special(literal, "__tensor__");
    const json_t *value =
        array ? json_object_get(json_object_get(literal, "config"), "value") : literal;
    cj_shape shape;
    cj_tensor *tensor = NULL;
    int64_t next = 0;
    if (!shape_of(value, &shape) || cj_shape_count(&shape) > LITERAL_MAX) {
        cj__fail(CJ_UNSUPPORTED,
                 "%s: an operand of it is neither a tensor, a number nor an array of numbers", who);
        return cj__build_failed(CJ__MADE_SYMBOL);
    }
    cj_dtype own = CJ_I32;
    const char *name = cj__json_text_at(json_object_get(literal, "config"), "dtype");
    const bool real = name && cj_dtype_from_name(name, &own) == CJ_OK ?
                          own == CJ_F32 || own == CJ_F64 :
                          json_is_real(value);
    if (real && dtype != CJ_F64) // whole numbers have the dtype of the other operands
        dtype = CJ_F32;
    else if (name && !real && !cj__operation_word(layer)->one_dtype) // but arrays their own
        dtype = own;
    if (cj_tensor_new(dtype, shape, &tensor) != CJ_OK)
        return cj__build_failed(CJ__MADE_SYMBOL);
    if (read_elements(value, &shape, 0, tensor, &next))
        return cj_symbol_constant(tensor);
    cj_release(tensor);
    cj__fail(CJ_BAD_FILE, "%s: the lists of an operand have different lengths", who);
    return cj__build_failed(CJ__MADE_SYMBOL);
}
