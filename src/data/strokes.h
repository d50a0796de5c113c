// How each digit is written by hand: skeletons of strokes, several to a digit, in a box about 60
// wide and 100 high with y downwards. A stroke is a smooth curve through its points; at a corner it
// turns sharply.
#ifndef CJ_DATA_STROKES_H
#define CJ_DATA_STROKES_H

#include <stdint.h>

typedef enum cj__point_kind { CJ__POINT_START, CJ__POINT_CURVE, CJ__POINT_CORNER } cj__point_kind;

typedef struct cj__stroke_point {
    int8_t kind, x, y;
} cj__stroke_point;

enum { CJ__STROKE_POINTS_MAX = 16 };

typedef struct cj__skeleton {
    int digit, count;
    cj__stroke_point points[CJ__STROKE_POINTS_MAX];
} cj__skeleton;

// All skeletons, those of one digit together: skeletons first[d] .. first[d + 1] - 1 are ways to
// write d.
extern const cj__skeleton cj__skeletons[];
extern const int cj__skeleton_count;

#endif
