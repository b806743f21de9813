// Mesher of labels: tetrahedra of a particle whose grains, pores and void are given as a function of space.
//
//   label_mesher JOB RESULT
//
// A program of its own (meshes/label_mesher/program.py compiles and runs it), because CGAL's Mesh_3 is under the GPL
// and because whatever goes wrong in it ends this process only. JOB is text, RESULT is binary; program.py writes the
// one and reads the other. The process ends when its standard input does: then its parent is gone.

#include <CGAL/Exact_predicates_inexact_constructions_kernel.h>
#include <CGAL/Labeled_mesh_domain_3.h>
#include <CGAL/Mesh_complex_3_in_triangulation_3.h>
#include <CGAL/Mesh_criteria_3.h>
#include <CGAL/Mesh_triangulation_3.h>
#include <CGAL/Random.h>
#include <CGAL/make_mesh_3.h>
#include <CGAL/perturb_mesh_3.h>
#include <CGAL/exude_mesh_3.h>
#include <CGAL/refine_mesh_3.h>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <unordered_map>
#include <vector>

namespace {

using Kernel = CGAL::Exact_predicates_inexact_constructions_kernel;
using Point = Kernel::Point_3;
using Domain = CGAL::Labeled_mesh_domain_3<Kernel>;
using Triangulation = CGAL::Mesh_triangulation_3<Domain>::type;
using Complex = CGAL::Mesh_complex_3_in_triangulation_3<Triangulation>;
using Criteria = CGAL::Mesh_criteria_3<Triangulation>;
using Vector = std::array<double, 3>;

constexpr double sliver_angle = 12.0;  // degrees; flatter tetrahedra are mended
constexpr double outer_layer = 0.03;   // of the radius; facets there belong to the outer surface

// The grain where (x - s)' A (x - s) - w is smallest has the point; A = xx, yy, zz, xy, xz, yz.
struct Grain {
    Vector seed;
    double weight, size;
    std::array<double, 6> shape;

    Vector pulled(const Vector& x) const {
        const double a = x[0] - seed[0], b = x[1] - seed[1], c = x[2] - seed[2];
        return {shape[0] * a + shape[3] * b + shape[4] * c, shape[3] * a + shape[1] * b + shape[5] * c,
                shape[4] * a + shape[5] * b + shape[2] * c};
    }
    double distance(const Vector& x) const {
        const Vector p = pulled(x);
        return (x[0] - seed[0]) * p[0] + (x[1] - seed[1]) * p[1] + (x[2] - seed[2]) * p[2] - weight;
    }
};

// A hole with a round wall: a pore, the void, or (an infinite half-cylinder along +z) its channel.
struct Hole {
    Vector centre;
    double radius, size;
    bool is_channel;

    // Negative inside.
    double distance(const Vector& x) const {
        const double a = x[0] - centre[0], b = x[1] - centre[1], c = x[2] - centre[2];
        if (is_channel && c > 0.0) return std::hypot(a, b) - radius;
        return std::sqrt(a * a + b * b + c * c) - radius;
    }
};

struct Job {
    Vector axes;
    double growth, distance_share, outer_size, optimiser_seconds;
    std::vector<Grain> grains;
    std::vector<Hole> holes;

    double reach() const { return *std::max_element(axes.begin(), axes.end()); }

    // How well a point on a wall is found; even the smallest hole stays round.
    double precision() const {
        double smallest = 1e-2 * reach();
        for (const Hole& hole : holes) smallest = std::min(smallest, hole.radius);
        return 1e-2 * smallest;
    }
};

Job read_job(const char* path) {
    std::ifstream stream(path);
    Job job;
    std::size_t grains = 0, holes = 0;
    stream >> job.axes[0] >> job.axes[1] >> job.axes[2] >> job.growth >> job.distance_share >>
        job.outer_size >> job.optimiser_seconds >> grains >> holes;
    if (!stream || grains == 0) throw std::runtime_error("the job file cannot be read");
    job.grains.resize(grains);
    for (Grain& grain : job.grains) {
        for (double& value : grain.seed) stream >> value;
        stream >> grain.weight >> grain.size;
        for (double& value : grain.shape) stream >> value;
    }
    job.holes.resize(holes);
    for (Hole& hole : job.holes) {
        for (double& value : hole.centre) stream >> value;
        stream >> hole.radius >> hole.size >> hole.is_channel;
    }
    if (!stream) throw std::runtime_error("the job file ends too early");
    return job;
}

// Space in cubes, each with the few grains and holes that matter in it.
class Field {
public:
    explicit Field(const Job& job)
        : job_(job), half_(1.06 * job.reach()),
          count_(std::clamp(static_cast<int>(4.0 * std::cbrt(job.grains.size() + job.holes.size())), 8, 48)),
          pitch_(2.0 * half_ / count_), grains_(count_ * count_ * count_), holes_(grains_.size()) {
        for (const Grain& grain : job.grains) largest_ = std::max(largest_, grain.size);
        for (int i = 0; i < count_; ++i)
            for (int j = 0; j < count_; ++j)
                for (int k = 0; k < count_; ++k) fill(i, j, k);
    }

    // 0 for nothing, 1..N for a grain.
    int label(const Point& point) const {
        const Vector x{point.x(), point.y(), point.z()};
        if (inside_out(x) >= 1.0) return 0;
        const std::size_t cube = cube_of(x);
        for (const int hole : holes_[cube])
            if (job_.holes[hole].distance(x) < 0.0) return 0;
        return 1 + nearest(cube, x);
    }

    // Largest circumradius wanted here: that of the grain, or smaller near a hole.
    double size(const Point& point) const {
        const Vector x{point.x(), point.y(), point.z()};
        const std::size_t cube = cube_of(x);
        double smallest = job_.grains[nearest(cube, x)].size;
        for (const int number : holes_[cube]) {
            const Hole& hole = job_.holes[number];
            smallest = std::min(smallest, hole.size + job_.growth * std::abs(hole.distance(x)));
        }
        return smallest;
    }

    // The same for facets, which follow the curvature of the outer surface.
    double facet_size(const Point& point) const {
        const double depth = 1.0 - std::sqrt(inside_out({point.x(), point.y(), point.z()}));
        return depth < outer_layer ? std::min(job_.outer_size, size(point)) : size(point);
    }

private:
    const Job& job_;
    double half_;
    int count_;
    double pitch_, largest_ = 0.0;
    std::vector<std::vector<int>> grains_, holes_;

    // 0 at the centre, 1 on the outer surface.
    double inside_out(const Vector& x) const {
        double sum = 0.0;
        for (int axis = 0; axis < 3; ++axis) sum += x[axis] * x[axis] / (job_.axes[axis] * job_.axes[axis]);
        return sum;
    }

    std::size_t cube_of(const Vector& x) const {
        std::size_t cube = 0;
        for (const double value : x)
            cube = cube * count_ + std::clamp(static_cast<int>((value + half_) / pitch_), 0, count_ - 1);
        return cube;
    }

    int nearest(std::size_t cube, const Vector& x) const {
        double best = std::numeric_limits<double>::infinity();
        int winner = 0;
        for (const int number : grains_[cube]) {
            const double distance = job_.grains[number].distance(x);
            if (distance < best) best = distance, winner = number;
        }
        return winner;
    }

    // Grains that can win somewhere in the cube, by the largest change of the difference of two distances in it.
    void fill(int i, int j, int k) {
        const Vector centre{(i + 0.5) * pitch_ - half_, (j + 0.5) * pitch_ - half_, (k + 0.5) * pitch_ - half_};
        const std::size_t cube = cube_of(centre);
        const double radius = 0.5 * std::sqrt(3.0) * pitch_;
        std::vector<double> distances;
        for (const Grain& grain : job_.grains) distances.push_back(grain.distance(centre));
        const std::size_t best = std::min_element(distances.begin(), distances.end()) - distances.begin();
        const Vector pull = job_.grains[best].pulled(centre);
        for (std::size_t number = 0; number < distances.size(); ++number) {
            const Vector other = job_.grains[number].pulled(centre);
            const double slope = 2.0 * std::hypot(other[0] - pull[0], other[1] - pull[1], other[2] - pull[2]);
            double bend = 0.0;
            for (int entry = 0; entry < 6; ++entry) {
                const double change = job_.grains[number].shape[entry] - job_.grains[best].shape[entry];
                bend += (entry < 3 ? 1.0 : 2.0) * change * change;
            }
            if (distances[number] - distances[best] <= radius * slope + radius * radius * std::sqrt(bend) + 1e-12)
                grains_[cube].push_back(static_cast<int>(number));
        }
        for (std::size_t number = 0; number < job_.holes.size(); ++number) {
            const Hole& hole = job_.holes[number];
            const double influence = std::max(0.0, (largest_ - hole.size) / job_.growth);
            if (hole.distance(centre) <= radius + influence) holes_[cube].push_back(static_cast<int>(number));
        }
    }
};

struct Sizing {
    using FT = Kernel::FT;
    using Point_3 = Point;
    using Index = Domain::Index;
    std::function<double(const Point&)> at;

    FT operator()(const Point& point, const int, const Index&) const { return at(point); }
};

// Points on walls that the refinement might not find by itself: the outer surface, and holes in the midst of a grain.
void insert_first_points(Complex& complex, const Domain& domain, const Job& job, const Field& field) {
    const auto insert = [&](const Point& point, int label) {
        if (label == 0) return;
        const auto vertex = complex.triangulation().insert(Triangulation::Weighted_point(point));
        complex.set_dimension(vertex, 2);
        complex.set_index(vertex, domain.index_from_surface_patch_index({0, label}));
    };
    const int directions = 60;
    for (int n = 0; n < directions; ++n) {
        const double z = 1.0 - (2.0 * n + 1.0) / directions, planar = std::sqrt(1.0 - z * z), turn = 2.399963 * n;
        const Vector x{job.axes[0] * planar * std::cos(turn), job.axes[1] * planar * std::sin(turn), job.axes[2] * z};
        const double inwards = 1.0 - 1e-9;
        insert(Point(x[0], x[1], x[2]), field.label(Point(inwards * x[0], inwards * x[1], inwards * x[2])));
    }
    const double corner = 1.0 / std::sqrt(3.0);
    for (const Hole& hole : job.holes) {
        std::array<int, 4> labels;
        std::array<Point, 4> points;
        for (int n = 0; n < 4; ++n) {
            const Vector way{n & 1 ? corner : -corner, n & 2 ? corner : -corner, n == 0 || n == 3 ? corner : -corner};
            const auto at = [&](double radius) {
                return Point(hole.centre[0] + radius * way[0], hole.centre[1] + radius * way[1],
                             hole.centre[2] + radius * way[2]);
            };
            points[n] = at(hole.radius);
            labels[n] = field.label(at(hole.radius * (1.0 + 1e-9)));
        }
        const bool in_one_grain = std::all_of(labels.begin(), labels.end(), [&](int l) { return l == labels[0]; });
        // The points of the outer surface alone see nothing but the centre: a hole there would hide all the grains.
        const bool at_centre = hole.distance(Vector{0.0, 0.0, 0.0}) < 0.0;
        if (!hole.is_channel && (in_one_grain || at_centre))
            for (int n = 0; n < 4; ++n) insert(points[n], labels[n]);
    }
}

template <typename Value> void write(std::ofstream& stream, const std::vector<Value>& values) {
    stream.write(reinterpret_cast<const char*>(values.data()),
                 static_cast<std::streamsize>(values.size() * sizeof(Value)));
}

// Numbers of points and cells; then coordinates, corners and labels, in the byte order of this machine.
void write_result(const Complex& complex, const char* path) {
    const Triangulation& triangulation = complex.triangulation();
    std::unordered_map<const void*, std::int32_t> numbers;
    std::vector<double> coordinates;
    std::vector<std::int32_t> corners, labels;
    for (auto cell = complex.cells_in_complex_begin(); cell != complex.cells_in_complex_end(); ++cell) {
        for (int corner = 0; corner < 4; ++corner) {
            const auto vertex = cell->vertex(corner);
            const auto [entry, is_new] = numbers.try_emplace(&*vertex, static_cast<std::int32_t>(numbers.size()));
            if (is_new)
                for (int axis = 0; axis < 3; ++axis)
                    coordinates.push_back(CGAL::to_double(triangulation.point(vertex).point()[axis]));
            corners.push_back(entry->second);
        }
        labels.push_back(complex.subdomain_index(cell));
    }
    std::ofstream stream(path, std::ios::binary);
    write(stream, std::vector<std::int64_t>{static_cast<std::int64_t>(numbers.size()),
                                            static_cast<std::int64_t>(labels.size())});
    write(stream, coordinates);
    write(stream, corners);
    write(stream, labels);
    if (!stream.flush()) throw std::runtime_error("the result cannot be written");
}

void mesh(const Job& job, const char* result) {
    namespace parameters = CGAL::parameters;
    CGAL::get_default_random() = CGAL::Random(1);
    const Field field(job);
    const double reach = 1.03 * job.reach();
    const std::function<int(const Point&)> label = [&](const Point& point) { return field.label(point); };
    const Domain domain(label, Kernel::Sphere_3(CGAL::ORIGIN, reach * reach), parameters::relative_error_bound(job.precision() / reach));
    const auto size = [&](const Point& point) { return field.size(point); };
    const double share = job.distance_share;
    const Criteria criteria(parameters::facet_angle(25)
                                .facet_size(Sizing{[&](const Point& point) { return field.facet_size(point); }})
                                .facet_distance(Sizing{[&](const Point& point) { return share * field.size(point); }})
                                .cell_radius_edge_ratio(2)
                                .cell_size(Sizing{size}));
    Complex complex;
    insert_first_points(complex, domain, job, field);
    CGAL::refine_mesh_3(complex, domain, criteria, parameters::no_perturb(), parameters::no_exude());
    std::cout << complex.number_of_cells_in_complex() << " tetrahedra refined" << std::endl;
    const double seconds = job.optimiser_seconds;
    CGAL::perturb_mesh_3(complex, domain, parameters::time_limit(seconds).sliver_bound(sliver_angle));
    CGAL::exude_mesh_3(complex, parameters::time_limit(seconds).sliver_bound(sliver_angle));
    write_result(complex, result);
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 3) {
        std::cerr << "usage: label_mesher JOB RESULT\n";
        return 2;
    }
    std::thread([] {
        char buffer[64];
        while (read(0, buffer, sizeof buffer) > 0) {}
        _exit(70);
    }).detach();
    try {
        mesh(read_job(arguments[1]), arguments[2]);
    } catch (const std::exception& error) {
        std::cout << error.what() << std::endl;
        return 1;
    }
    std::cout.flush();
    _exit(0);  // the thread above still reads
}
