// Changes of JSON that is right, so that what a fuzzer tries passes the parser and reaches what is
// behind it. An input is read as instructions of four bytes: two choose a value of the tree, one
// what becomes of it, one a second value or a number.
#ifndef CJ_TESTS_FUZZ_MUTATE_JSON_H
#define CJ_TESTS_FUZZ_MUTATE_JSON_H

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MUTATE_NODES_MAX = 4096, MUTATE_LONG = 300 };

typedef struct mutate_node {
    json_t *parent;
    const char *key; // in an object; else
    size_t index;    // in a list
    json_t *value;
} mutate_node;

static inline size_t mutate_collect(json_t *parent, mutate_node *nodes, size_t count)
{
    const char *key;
    size_t index;
    json_t *value;
    if (json_is_object(parent))
        json_object_foreach (parent, key, value) {
            if (count == MUTATE_NODES_MAX)
                break;
            nodes[count++] = (mutate_node){parent, key, 0, value};
            count = mutate_collect(value, nodes, count);
        }
    else if (json_is_array(parent))
        json_array_foreach (parent, index, value) {
            if (count == MUTATE_NODES_MAX)
                break;
            nodes[count++] = (mutate_node){parent, NULL, index, value};
            count = mutate_collect(value, nodes, count);
        }
    return count;
}

static inline json_t *mutate_list(json_t *item, int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(list, json_deep_copy(item));
    json_decref(item);
    return list;
}

// What a value becomes; NULL to take it out.
static inline json_t *mutate_value(const mutate_node *nodes, size_t count, size_t at, uint8_t what,
                                   uint8_t more)
{
    static const json_int_t numbers[] = {
        0, 1, -1, 2, 17, 2147483647, 2147483648, 4294967295, 1 << 20, INT64_MAX, INT64_MIN, 16};
    static const double reals[] = {0.5, -0.5, 1e308, 1e-308, 3.0, 0.0};
    switch (what % 10) {
    case 0:
        return json_integer(numbers[more % (sizeof numbers / sizeof numbers[0])]);
    case 1:
        return json_real(reals[more % (sizeof reals / sizeof reals[0])]);
    case 2:
        return more % 3 == 0 ? json_null() : json_boolean(more % 3 == 1);
    case 3:
        return more % 2 ? json_string("") : json_string("\xC3\xBC/\" (a, b) %s {epoch}");
    case 4:
        return more % 2 ? json_array() : json_object();
    case 5:
        return mutate_list(json_integer(more), more % 20);
    case 6:
        return mutate_list(json_real(more), MUTATE_LONG);
    case 7:
        return NULL;
    case 8:
        return mutate_list(json_deep_copy(nodes[at].value), 1 + more % 3);
    default:
        return json_deep_copy(nodes[(at + 1 + more) % count].value);
    }
}

static inline void mutate_json(json_t *root, const uint8_t *data, size_t size)
{
    mutate_node *nodes = malloc(MUTATE_NODES_MAX * sizeof *nodes);
    for (; nodes && size >= 4; data += 4, size -= 4) {
        const size_t count = mutate_collect(root, nodes, 0);
        if (count == 0)
            break;
        const size_t at = (data[0] | (size_t)data[1] << 8) % count;
        const mutate_node *node = &nodes[at];
        json_t *value = mutate_value(nodes, count, at, data[2], data[3]);
        if (node->key && value)
            json_object_set_new(node->parent, node->key, value);
        else if (node->key)
            json_object_del(node->parent, node->key);
        else if (value)
            json_array_set_new(node->parent, node->index, value);
        else
            json_array_remove(node->parent, node->index);
    }
    free(nodes);
}

#endif
