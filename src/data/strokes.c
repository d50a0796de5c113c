// The skeletons of the ten digits; see strokes.h. Adding a way to write a digit is one row.
#include "data/strokes.h"

// Not for clang-format: the macros of initializers.
// clang-format off
#define S(x, y) {CJ__POINT_START, x, y}
#define P(x, y) {CJ__POINT_CURVE, x, y}
#define C(x, y) {CJ__POINT_CORNER, x, y}
#define ROW(digit, ...)                                                                            \
    {digit, (int)(sizeof((cj__stroke_point[]){__VA_ARGS__}) / sizeof(cj__stroke_point)), {__VA_ARGS__}}
// clang-format on

const cj__skeleton cj__skeletons[] = {
    // round; narrow with an overlap; begun at the left
    ROW(0, S(36, 2), P(12, 14), P(2, 50), P(12, 86), P(32, 98), P(52, 84), P(60, 50), P(52, 16),
        P(34, 1)),
    ROW(0, S(44, 8), P(26, 2), P(8, 24), P(2, 58), P(14, 92), P(36, 94), P(54, 66), P(56, 30),
        P(46, 8), P(30, 4)),
    ROW(0, S(14, 20), P(40, 2), P(60, 40), P(48, 88), P(20, 98), P(2, 62), P(8, 26), P(30, 6)),
    // plain; with a flag; with flag and foot; bent
    ROW(1, S(30, 0), P(30, 50), P(30, 100)),
    ROW(1, S(14, 22), C(34, 0), P(33, 50), P(34, 100)),
    ROW(1, S(12, 22), C(34, 0), P(34, 50), P(34, 100), S(10, 100), P(34, 99), P(58, 100)),
    ROW(1, S(40, 0), P(30, 40), P(22, 100)),
    // with a straight base; with a loop; with a flat head
    ROW(2, S(4, 24), P(16, 5), P(38, 1), P(56, 20), P(46, 48), P(22, 76), C(2, 98), P(30, 98),
        P(62, 97)),
    ROW(2, S(6, 22), P(22, 3), P(46, 4), P(56, 24), P(44, 54), P(22, 84), P(8, 97), P(2, 88),
        P(12, 80), P(30, 90), P(46, 98), P(62, 90)),
    ROW(2, S(6, 12), P(34, 2), P(54, 14), P(44, 46), C(4, 96), P(36, 92), P(60, 98)),
    // with a sharp waist; round; with a flat top
    ROW(3, S(6, 14), P(26, 1), P(50, 10), P(46, 34), C(24, 46), P(52, 56), P(56, 82), P(30, 99),
        P(4, 88)),
    ROW(3, S(8, 10), P(34, 0), P(54, 20), P(42, 42), P(26, 47), P(46, 54), P(60, 76), P(40, 98),
        P(4, 90)),
    ROW(3, S(6, 4), P(30, 3), C(54, 3), P(42, 20), C(26, 38), P(50, 46), P(58, 72), P(38, 98),
        P(4, 90)),
    // open; closed; open and round
    ROW(4, S(12, 4), P(8, 28), C(4, 54), P(30, 55), P(62, 52), S(46, 2), P(45, 50), P(44, 100)),
    ROW(4, S(60, 66), P(30, 67), C(2, 66), P(24, 36), C(46, 0), P(46, 50), P(46, 100)),
    ROW(4, S(8, 4), P(6, 34), P(18, 52), P(40, 50), P(54, 34), S(56, 2), P(52, 50), P(46, 100)),
    // in one stroke; with the hat put on last; like an S
    ROW(5, S(54, 2), P(32, 3), C(14, 4), P(11, 22), C(8, 44), P(30, 36), P(54, 50), P(54, 82),
        P(30, 99), P(4, 90)),
    ROW(5, S(14, 6), P(10, 26), C(8, 46), P(36, 38), P(58, 60), P(48, 90), P(22, 99), P(2, 88),
        S(14, 5), P(36, 4), P(60, 0)),
    ROW(5, S(56, 4), P(34, 2), P(14, 14), P(13, 34), P(36, 46), P(54, 66), P(44, 92), P(20, 98),
        P(4, 88)),
    // bowed; with a straight stem; with a curled top
    ROW(6, S(44, 0), P(22, 18), P(6, 50), P(6, 82), P(26, 99), P(50, 88), P(54, 66), P(36, 52),
        P(14, 62), P(6, 76)),
    ROW(6, S(34, 0), P(16, 32), P(4, 66), P(14, 95), P(40, 97), P(56, 78), P(44, 60), P(20, 62),
        P(8, 78)),
    ROW(6, S(56, 10), P(40, 1), P(16, 20), P(4, 58), P(12, 92), P(36, 99), P(54, 80), P(46, 56),
        P(22, 54), P(8, 70)),
    // plain; with a bar; with a serif; with a wavy top
    ROW(7, S(2, 6), P(30, 5), C(60, 3), P(44, 40), P(26, 100)),
    ROW(7, S(2, 6), P(30, 5), C(60, 3), P(44, 40), P(26, 100), S(16, 50), P(36, 49), P(58, 47)),
    ROW(7, S(4, 20), C(6, 4), P(34, 4), C(58, 2), P(42, 44), P(36, 100)),
    ROW(7, S(0, 12), P(16, 2), P(38, 8), C(60, 2), P(40, 50), P(34, 100)),
    // crossed; two rings; open at the top
    ROW(8, S(50, 14), P(30, 0), P(10, 14), P(18, 38), P(44, 58), P(54, 82), P(30, 100), P(6, 84),
        P(16, 60), P(42, 38), P(52, 16), P(40, 3)),
    ROW(8, S(30, 46), P(8, 26), P(28, 1), P(52, 22), P(32, 46), P(6, 72), P(28, 99), P(56, 74),
        P(32, 47)),
    ROW(8, S(56, 6), P(34, 1), P(12, 16), P(22, 42), P(48, 64), P(50, 90), P(26, 99), P(8, 84),
        P(20, 58), P(46, 34), P(60, 4)),
    // with a straight stem; with a curved one; slanted
    ROW(9, S(50, 18), P(30, 2), P(6, 20), P(10, 44), P(34, 46), P(50, 20), C(53, 8), P(52, 50),
        P(50, 100)),
    ROW(9, S(52, 22), P(34, 2), P(8, 18), P(10, 44), P(36, 46), P(52, 20), P(54, 50), P(40, 88),
        P(12, 98)),
    ROW(9, S(54, 10), P(24, 2), P(4, 28), P(20, 46), P(46, 34), C(56, 8), P(46, 56), P(34, 100)),
};

const int cj__skeleton_count = sizeof cj__skeletons / sizeof *cj__skeletons;
