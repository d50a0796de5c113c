// Looking at data: what there is, in numbers and as a picture.
#ifndef CLI_LOOK_H
#define CLI_LOOK_H

#include "cli.h"

// Prints the samples, shapes, ranges, missing values and classes of a part of a data set; `part` is
// "train" or "test", `name` the data set's.
void describe_data(const char *part, const char *name, const cj_dataset *data);
// Prints the columns of a table, "csv:FILE" or "csv:FILE:TARGET".
cj_status describe_table(const char *name);
// One file by itself: an image, a table, or an IDX file; with `picture` the first images of it are drawn.
// CJ_BAD_FILE for what is none of these.
cj_status describe_file(const char *path, const char *picture);
// A row of images of each class, or the first images where there are no classes, as PNG.
cj_status draw_contact_sheet(const char *name, const cj_dataset *data, const char *path);

#endif
