// The handwriting of digits; see pen.h.
//
// One image is made in four moves. Its *hand* is chosen: slant, turn, size, bend, thickness. The
// *skeleton* is one of the digit's; each point is shaken, bent and placed. The points become a
// *path* of short straight pieces along Catmull-Rom curves, fitted to the frame as in MNIST: its
// box scaled to about 20 pixels, its mass in the middle. The *pen* goes along the path; a pixel is
// as dark as the nearest piece makes it, with a soft edge.
#include "data/pen.h"

#include "base/random.h"
#include "data/strokes.h"
#include <math.h>
#include <string.h>

enum { SIDE = CJ__DIGIT_SIDE, STEPS = 7, PATH_MAX_POINTS = CJ__STROKE_POINTS_MAX * STEPS + 1 };

// The numbers of one image, drawn in order from its own stream.
typedef struct dice {
    uint64_t key, image, block;
    uint32_t words[4];
    int left;
} dice;

static uint32_t roll(dice *d)
{
    if (d->left == 0) {
        cj__philox(d->key, d->image, d->block++, d->words);
        d->left = 4;
    }
    return d->words[4 - d->left--];
}

// In [low, high).
static double between(dice *d, double low, double high)
{
    return low + (high - low) * ((double)roll(d) * (1.0 / 4294967296.0));
}

// Nearly normal, mean 0 and deviation 1, never beyond 3: the sum of three even numbers.
static double swing(dice *d)
{
    double a = between(d, -1, 1), b = between(d, -1, 1), c = between(d, -1, 1);
    return a + b + c;
}

typedef struct spot {
    double x, y, pressure;
    int begins; // a stroke begins here: no ink from the spot before
} spot;

typedef struct path {
    spot spots[PATH_MAX_POINTS];
    int count;
} path;

// The writer's hand for one image; angles are small, so two terms of the series are enough, and
// exact everywhere.
typedef struct hand {
    double cosine, sine, slant, aspect, bend_x, bend_y, wave, shake;
    double size, radius, darkness, soft;
    double press[2]; // pressure at the first and last point of the digit
} hand;

static hand choose_hand(dice *d)
{
    hand h;
    double angle = 0.19 * swing(d);
    h.sine = angle - angle * angle * angle / 6;
    h.cosine = sqrt(1 - h.sine * h.sine);
    h.slant = 0.10 + 0.22 * swing(d);
    h.aspect = 1 + 0.18 * swing(d);
    h.bend_x = 0.12 * swing(d);
    h.bend_y = 0.09 * swing(d);
    h.wave = 0.09 * swing(d);
    h.shake = between(d, 0.01, 0.06);
    h.size = between(d, 15.5, 21.5);
    h.radius = between(d, 0.75, 1.95);
    h.darkness = between(d, 190, 255);
    h.soft = between(d, 0.9, 1.5);
    h.press[0] = between(d, 0.75, 1.2);
    h.press[1] = between(d, 0.65, 1.15);
    return h;
}

// One point of a skeleton, shaken, bent by a field of low order, slanted and turned. Units of half
// a height.
static spot place_point(const hand *h, const cj__stroke_point *point, double along, dice *d)
{
    double u = (point->x - 30) / 50.0 * h->aspect + h->shake * swing(d);
    double v = (point->y - 50) / 50.0 + h->shake * swing(d);
    double x = u + h->bend_x * (v * v - 0.4) * 2 + h->wave * v * (1 - v * v) * 3 - h->slant * v;
    double y = v + h->bend_y * (u * u - 0.2) * 3 + h->wave * u * v;
    spot s = {.x = h->cosine * x - h->sine * y, .y = h->sine * x + h->cosine * y};
    s.pressure = (h->press[0] + (h->press[1] - h->press[0]) * along) * between(d, 0.88, 1.12);
    s.begins = point->kind == CJ__POINT_START;
    return s;
}

// A point of the Catmull-Rom curve from b to c, whose neighbours are a and e.
static double curve(double a, double b, double c, double e, double t)
{
    double m0 = (c - a) / 2, m1 = (e - b) / 2, t2 = t * t, t3 = t2 * t;
    return (2 * t3 - 3 * t2 + 1) * b + (t3 - 2 * t2 + t) * m0 + (3 * t2 - 2 * t3) * c +
           (t3 - t2) * m1;
}

static void write_skeleton(const cj__skeleton *skeleton, const hand *h, dice *d, path *p)
{
    spot points[CJ__STROKE_POINTS_MAX];
    for (int i = 0; i < skeleton->count; i++)
        points[i] = place_point(h, &skeleton->points[i], (double)i / (skeleton->count - 1), d);
    p->count = 0;
    for (int i = 0; i < skeleton->count; i++) {
        if (points[i].begins) {
            p->spots[p->count++] = points[i];
            continue;
        }
        // At a corner or an end the curve has no further neighbour: the point itself is used twice.
        int last = i + 1 == skeleton->count || points[i + 1].begins ||
                   skeleton->points[i].kind == CJ__POINT_CORNER;
        int first = points[i - 1].begins || skeleton->points[i - 1].kind == CJ__POINT_CORNER;
        const spot *b = &points[i - 1], *c = &points[i], *a = first ? b : b - 1,
                   *e = last ? c : c + 1;
        for (int step = 1; step <= STEPS; step++) {
            double t = (double)step / STEPS;
            p->spots[p->count++] =
                (spot){.x = curve(a->x, b->x, c->x, e->x, t),
                       .y = curve(a->y, b->y, c->y, e->y, t),
                       .pressure = b->pressure + (c->pressure - b->pressure) * t};
        }
    }
}

// Scales the longer side of the path's box to the hand's size and moves the mass near the middle of
// the frame.
static void fit_to_frame(path *p, const hand *h, dice *d)
{
    double low_x = p->spots[0].x, high_x = low_x, low_y = p->spots[0].y, high_y = low_y;
    double mass = 0, sum_x = 0, sum_y = 0;
    for (int i = 0; i < p->count; i++) {
        const spot *s = &p->spots[i], *from = s - 1;
        low_x = s->x < low_x ? s->x : low_x;
        high_x = s->x > high_x ? s->x : high_x;
        low_y = s->y < low_y ? s->y : low_y;
        high_y = s->y > high_y ? s->y : high_y;
        if (s->begins)
            continue;
        double dx = s->x - from->x, dy = s->y - from->y,
               ink = sqrt(dx * dx + dy * dy) * s->pressure;
        mass += ink;
        sum_x += ink * (s->x + from->x) / 2;
        sum_y += ink * (s->y + from->y) / 2;
    }
    double width = high_x - low_x, height = high_y - low_y;
    double scale = (h->size - 2 * h->radius) / (width > height ? width : height);
    double x = 13.5 + 0.65 * swing(d) - scale * sum_x / mass,
           y = 13.5 + 0.65 * swing(d) - scale * sum_y / mass;
    for (int i = 0; i < p->count; i++) {
        p->spots[i].x = x + scale * p->spots[i].x;
        p->spots[i].y = y + scale * p->spots[i].y;
    }
}

static int clip(double value)
{
    return value < 0 ? 0 : value > SIDE - 1 ? SIDE - 1 : (int)value;
}

// Lays the ink of one straight piece, keeping the darker of old and new.
static void draw_piece(const spot *a, const spot *b, double radius, double soft, double darkness,
                       double *ink)
{
    double reach = radius * (a->pressure > b->pressure ? a->pressure : b->pressure) + soft;
    double dx = b->x - a->x, dy = b->y - a->y, length2 = dx * dx + dy * dy;
    int x0 = clip((a->x < b->x ? a->x : b->x) - reach),
        x1 = clip((a->x > b->x ? a->x : b->x) + reach + 1);
    int y0 = clip((a->y < b->y ? a->y : b->y) - reach),
        y1 = clip((a->y > b->y ? a->y : b->y) + reach + 1);
    double inverse = length2 > 0 ? 1 / length2 : 0;
    for (int y = y0; y <= y1; y++)
        for (int x = x0; x <= x1; x++) {
            double px = x - a->x, py = y - a->y, t = (px * dx + py * dy) * inverse;
            t = t < 0 ? 0 : t > 1 ? 1 : t;
            double ex = px - t * dx, ey = py - t * dy;
            double edge = radius * (a->pressure + (b->pressure - a->pressure) * t);
            double cover = 0.5 + (edge - sqrt(ex * ex + ey * ey)) / soft;
            double value = darkness * (cover > 1 ? 1 : cover);
            if (value > ink[y * SIDE + x])
                ink[y * SIDE + x] = value;
        }
}

// What else is on the paper: now and then a faint stray line, and a few specks.
static void litter(dice *d, double *ink)
{
    if (between(d, 0, 1) < 0.12) {
        // One roll a statement: C leaves the order within a list of initialisers or arguments open.
        spot a = {.pressure = 1}, b = a;
        a.x = between(d, 0, SIDE);
        a.y = between(d, 0, SIDE);
        b.x = a.x + 3 * swing(d);
        b.y = a.y + 3 * swing(d);
        double radius = between(d, 0.3, 0.7), darkness = between(d, 40, 150);
        draw_piece(&a, &b, radius, 1, darkness, ink);
    }
    int specks = (int)between(d, 0, 3.5);
    for (int i = 0; i < specks; i++) {
        int at = (int)between(d, 0, SIDE * SIDE);
        ink[at] += between(d, 15, 110);
    }
}

int cj__draw_digit(uint64_t key, uint64_t index, unsigned char pixels[SIDE * SIDE])
{
    dice d = {.key = key, .image = index};
    int digit = (int)between(&d, 0, 10), first = 0, ways = 0;
    while (cj__skeletons[first].digit != digit)
        first++;
    while (first + ways < cj__skeleton_count && cj__skeletons[first + ways].digit == digit)
        ways++;
    const cj__skeleton *skeleton = &cj__skeletons[first + (int)between(&d, 0, ways)];
    hand h = choose_hand(&d);
    path p = {.count = 0};
    write_skeleton(skeleton, &h, &d, &p);
    fit_to_frame(&p, &h, &d);

    double ink[SIDE * SIDE] = {0};
    for (int i = 1; i < p.count; i++)
        if (!p.spots[i].begins)
            draw_piece(&p.spots[i - 1], &p.spots[i], h.radius, h.soft, h.darkness, ink);
    litter(&d, ink);
    for (int i = 0; i < SIDE * SIDE; i++) {
        // Paper stays clean; ink has a grain, in whole steps of one to eight.
        double grain = ink[i] > 12 ? between(&d, -14, 14) : 0, value = ink[i] + grain;
        pixels[i] = (unsigned char)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
    return digit;
}
