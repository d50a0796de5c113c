// Tables as data: "csv:FILE:TARGET". What turns raw rows into a model's inputs is a *schema*: the
// columns of numbers with their means, which stand for missing ones; the columns of categories with
// their texts; the target. A model that was trained on a table has it in its note "table", as JSON.
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "cli.h"

bool is_table_data(const char *name);
// Whether a model was made for tables.
bool is_table_model(const cj_model *model);

// The rows of a file, four fifths and one fifth of those that have a target. Without a model, *schema
// is made from the table; with one it is the model's. It is released by json_decref().
cj_status load_table_data(const char *name, const cj_model *model, json_t **schema,
                          cj_dataset **train, cj_dataset **test);
// A first model for a table: numbers standardised, categories one-hot, two dense layers of 64.
cj_model *make_table_model(const json_t *schema, const cj_dataset *train);
// Whether the target is a number.
bool is_regression(const json_t *schema);
// One line: what is predicted from what.
void print_schema(const json_t *schema, FILE *stream);
// Puts the schema, and the names of the classes, into the model's notes.
cj_status note_table(cj_model *model, const json_t *schema);
// Raw rows of a file as the model's inputs; `inputs` has two places, and those not used become NULL.
cj_status read_table_inputs(const cj_model *model, const char *path, cj_tensor **inputs);

#endif
