/**
 * @file settings.h
 * The settings of a program's own classes (custom.h), described by a table: a row a member, from which
 * come checks, specs and files.
 */
#ifndef CAJAL_SETTINGS_H
#define CAJAL_SETTINGS_H

#include <cajal/numbers.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a setting is in the struct, and in a file. */
typedef enum cj_setting_kind {
    CJ_SETTING_INT,     ///< int64_t
    CJ_SETTING_NUMBER,  ///< double, finite
    CJ_SETTING_BOOL,    ///< bool
    CJ_SETTING_TEXT,    ///< const char *, NULL for none; copied
    CJ_SETTING_NUMBERS, ///< cj_numbers, copied
    CJ_SETTING_LAYER    ///< cj_layer *, of layers only; taken over, saved with the layer
} cj_setting_kind;

/** One setting of a class. Its size is fixed for ever. */
typedef struct cj_setting {
    const char *name;     ///< its key in files and specs
    cj_setting_kind kind; ///< what the struct has there
    size_t offset;        ///< where, in bytes
    bool required;        ///< 0, NULL, or no numbers are refused
    double low;           ///< the least value of an int or a number, if below `high`
    double high;          ///< the greatest
    uint64_t reserved[2]; ///< zero
} cj_setting;

/** The kind of a setting by the type of its member, in C. */
#define CJ__SETTING_KIND(type, member) \
    _Generic(((type *)0)->member,            \
        int64_t: CJ_SETTING_INT,             \
        double: CJ_SETTING_NUMBER,           \
        bool: CJ_SETTING_BOOL,               \
        const char *: CJ_SETTING_TEXT,       \
        cj_numbers: CJ_SETTING_NUMBERS,      \
        cj_layer *: CJ_SETTING_LAYER)
/** The row of a member of a settings struct, in C. */
#define CJ_SETTING(type, member)                                                                  \
    {                                                                                             \
        .name = #member, .kind = CJ__SETTING_KIND(type, member), .offset = offsetof(type, member) \
    }
/** The same of a number that is from `least` to `most`. */
#define CJ_SETTING_IN(type, member, least, most)                                                   \
    {                                                                                              \
        .name = #member, .kind = CJ__SETTING_KIND(type, member), .offset = offsetof(type, member), \
        .low = (least), .high = (most)                                                             \
    }
/** The same of a setting that must be given. */
#define CJ_SETTING_REQUIRED(type, member)                                                          \
    {                                                                                              \
        .name = #member, .kind = CJ__SETTING_KIND(type, member), .offset = offsetof(type, member), \
        .required = true                                                                           \
    }

/** The members of a class that say its settings, all zero for a class without any. */
#define CJ_SETTINGS_MEMBERS                                        \
    const cj_setting *settings; /**< a row for each */             \
    int setting_count;          /**< how many rows */              \
    const void *defaults;       /**< a struct with the defaults */ \
    size_t settings_size;       /**< bytes of that struct */
/** These members, of an array of cj_setting and an object that has the defaults. */
#define CJ_SETTINGS(array, standard)                                               \
    .settings = (array), .setting_count = (int)(sizeof(array) / sizeof(array)[0]), \
    .defaults = &(standard), .settings_size = sizeof(standard)

#ifdef __cplusplus
}
#endif
#endif
