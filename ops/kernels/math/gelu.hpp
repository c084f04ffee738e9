/// \file
/// gelu, its approximation by tanh, and the derivative.
///
/// x Φ(x) = max(x, 0) + y Φ(y) with y = −|x|, and the same with σ(v(x)) for Φ(x). Where there are tables to pick from, Φ, σ(v) and
/// the derivative are in intervals from 0 down to −5.5, farther out they are by exponentials.
#pragma once

#include "ops/kernels/math/normal.hpp"
#include "ops/kernels/math/sigmoid.hpp"

namespace reel::kernels::REEL_SET::math {

/// y Q(y) exp(y²/2) = level + G / N from `kGeluNear` on, to 2⁻³¹ (float) and 2⁻⁶⁴ (double) of itself: the
/// level lies between the values at both ends, so that G / N is small beside it and its rounding errors count
/// less.
inline constexpr double kGeluLevel = 43.0 / 128;
template <class T>
inline constexpr T kGeluG[] = {-0.335943652263870822f, -0.087375781165172607f,  0.0311411110441575439f,
                               0.0285911081297673376f, 0.00817480376359914572f, 0.000971004189842906068f};
template <>
inline constexpr double kGeluG<double>[] = {
    -0.335937500001138811,   -0.346832178393741319,    -0.139363919526810979,  0.000206864157323141866,
    0.0289625895444198203,   0.0169259204497206954,    0.00570128946525056572, 0.00130975219385193704,
    0.000212501506598338784, 0.0000238711895734288328, 1.70908159177442432e-6, 6.06665482358738093e-8};
template <class T>
inline constexpr T kGeluN[] = {1.0f,
                               1.74861072400079177f,
                               1.32182334694317755f,
                               0.55100267587185817f,
                               0.12976270152284966f,
                               0.0154113739729109166f};
template <>
inline constexpr double kGeluN<double>[] = {1.0,
                                            2.52080276363459282,
                                            2.97919410858378116,
                                            2.18414254888675168,
                                            1.10675980883212035,
                                            0.408371903346819218,
                                            0.112418344715975634,
                                            0.0232074925740819747,
                                            0.00354454537612342655,
                                            0.000384975967871260144,
                                            0.0000271262209135111826,
                                            9.62888019755497655e-7};
/// (2 Φ(x) − 1) / x as a polynomial of x² for |x| ≤ `kGeluNear`.
template <class T>
inline constexpr T kNormalNear[] = {0.797884559862783923f, -0.132980663535860482f, 0.0199455245391943493f,
                                    -0.00236547293378171227f, 0.000209013759055471968f};
template <>
inline constexpr double kNormalNear<double>[] = {
    0.797884560802865356,    -0.132980760133810887,    0.0199471140200712497, -0.00237465643095084899,
    0.000230869375098507501, -0.000018889311496191991, 1.3319339384978329e-6, -8.24395843383018709e-8,
    4.52293877682366411e-9,  -2.02390561640113114e-10};
inline constexpr double kGeluNear = 0.69;
/// Φ(c + t) to 2⁻²⁷ of itself, from 0 down to −5.5 in 16 intervals that end where steps[0] y² + steps[1] y is ½,
/// 1½, …, so that Φ falls by about as much in each.
inline constexpr float kPhiSteps[] = {0.366611570f, -0.8f};
inline constexpr Lines kPhiPieces({
    {-0.305578798f, -0.949304104f, -1.51657474f, -1.98775482f, -2.43515134f, -2.77764726f, -3.14045143f,
     -3.43925166f, -3.72080684f, -4.01924658f, -4.26291513f, -4.50736189f, -4.75876665f, -4.98562622f,
     -5.20190239f, -5.42490005f},
    {0.379962683f, 0.171232983f, 0.0646870434f, 0.0234194063f, 0.00744278124f, 0.00273770117f,
     0.000843438378f, 0.000291662349f, 9.92936475e-5f, 2.91922715e-5f, 1.00888583e-5f, 3.28193141e-6f,
     9.73897272e-7f, 3.08807216e-7f, 9.8629414e-8f, 2.89934885e-8f},
    {0.380744129f, 0.254227012f, 0.126319855f, 0.0553254001f, 0.0205700416f, 0.00842458848f, 0.00287944963f,
     0.00107744313f, 0.000393220398f, 0.000123890801f, 4.51662127e-5f, 1.54624795e-5f, 4.82418591e-6f,
     1.59733656e-6f, 5.30825332e-7f, 1.62317932e-7f},
    {0.0581736825f, 0.12066938f, 0.0957867429f, 0.0549866669f, 0.025045583f, 0.0117002679f, 0.00452138577f,
     0.00185279909f, 0.000731548585f, 0.00024897384f, 9.62698687e-5f, 3.48474969e-5f, 1.1478588e-5f,
     3.98186148e-6f, 1.38065082e-6f, 4.40279251e-7f},
    {-0.0575327277f, -0.00418774411f, 0.0273698214f, 0.0272125322f, 0.0169015825f, 0.0094289314f,
     0.00425314019f, 0.00194450398f, 0.000841780333f, 0.000312912569f, 0.000129269145f, 4.9779781e-5f,
     1.74039706e-5f, 6.35115748e-6f, 2.30554565e-6f, 7.69108794e-7f},
    {-0.0140912635f, -0.0211057179f, -0.00558711868f, 0.00435831351f, 0.00611512829f, 0.00459747668f,
     0.0025856616f, 0.00136310165f, 0.000661099039f, 0.000272924692f, 0.000121719859f, 5.02853909e-5f,
     1.87920523e-5f, 7.25246537e-6f, 2.76817377e-6f, 9.69709731e-7f},
    {0.00779229868f, -0.00336271757f, -0.00581467897f, -0.0023529816f, 0.000443415222f, 0.0011421477f,
     0.000986937666f, 0.000646191998f, 0.000365698506f, 0.000172536136f, 8.43730886e-5f, 3.78506229e-5f,
     1.5269532e-5f, 6.27497548e-6f, 2.53194844e-6f, 9.35837761e-7f},
    {0.00226338604f, 0.0022736697f, -0.000715755508f, -0.00135134277f, -0.000633624033f, -8.48571726e-5f,
     0.000169155857f, 0.000188668069f, 0.000138678122f, 7.88979232e-5f, 4.38323768e-5f, 2.18060195e-5f,
     9.63856473e-6f, 4.25889721e-6f, 1.83328814e-6f, 7.18619333e-7f},
    {-0.00101650006f, 0.000573203724f, 0.00065881724f, -5.76470229e-5f, -0.000283688336f, -0.000213222884f,
     -5.28165037e-5f, 8.30347653e-6f, 2.98562827e-5f, 2.52371883e-5f, 1.71771644e-5f, 1.00617526e-5f,
     5.02918374e-6f, 2.5075276e-6f, 1.17565662e-6f, 5.02548687e-7f},
});
/// σ(v(c + t)) to 2⁻²⁶ of itself, in the same intervals.
inline constexpr Lines kGeluTanhPieces({
    {-0.290028185f, -0.904867053f, -1.53844297f, -2.0070045f, -2.40254402f, -2.80482125f, -3.11828852f,
     -3.44849777f, -3.74454403f, -4.0108695f, -4.27789736f, -4.51559782f, -4.76614046f, -4.98172808f,
     -5.21051979f, -5.42469454f},
    {0.385904908f, 0.182899535f, 0.0621046945f, 0.0223227553f, 0.00797485746f, 0.00235153339f,
     0.000792405452f, 0.000218333647f, 5.99536252e-5f, 1.66271075e-5f, 4.06655863e-6f, 1.0403968e-6f,
     2.19676394e-7f, 5.20212993e-8f, 1.01189128e-8f, 1.96607419e-9f},
    {0.382436246f, 0.264677405f, 0.122461036f, 0.0536452644f, 0.0223999061f, 0.00769446744f, 0.00291158189f,
     0.000904021086f, 0.000275608123f, 8.37899133e-5f, 2.24198029e-5f, 6.20146238e-6f, 1.41877467e-6f,
     3.59380692e-7f, 7.49559987e-8f, 1.55223709e-8f},
    {0.0557026826f, 0.119694367f, 0.0935599431f, 0.0536110513f, 0.0271369573f, 0.0111503154f, 0.00481633283f,
     0.00171002408f, 0.000585395901f, 0.000196844543f, 5.80784035e-5f, 1.74767429e-5f, 4.35743277e-6f,
     1.18588571e-6f, 2.66332393e-7f, 5.89923488e-8f},
    {-0.0585415363f, -0.0075557814f, 0.0275228806f, 0.0264850836f, 0.0177364815f, 0.00917022303f,
     0.00464676972f, 0.00192937208f, 0.000753869186f, 0.000283866975f, 9.33349074e-5f, 3.08022391e-5f,
     8.431487e-6f, 2.47905791e-6f, 6.02610044e-7f, 1.43375559e-7f},
    {-0.0137637444f, -0.0217566043f, -0.00465841871f, 0.00437234994f, 0.00593544217f, 0.00443912344f,
     0.00279278378f, 0.00141128653f, 0.000646156492f, 0.000277566578f, 0.000103247337f, 3.77846482e-5f,
     1.14666873e-5f, 3.66832023e-6f, 9.71415375e-7f, 2.49565119e-7f},
    {0.00814230926f, -0.00300099282f, -0.00552466046f, -0.00204459089f, 0.000227132346f, 0.00104754441f,
     0.000988501357f, 0.000667868066f, 0.000376942276f, 0.000190587729f, 8.20974819e-5f, 3.38698883e-5f,
     1.15488228e-5f, 4.05918172e-6f, 1.1805331e-6f, 3.29539915e-7f},
    {0.00229077507f, 0.00245620031f, -0.00089698378f, -0.00122863962f, -0.000630338618f, -9.50362155e-5f,
     0.000121444027f, 0.000177639595f, 0.000141875775f, 9.06159476e-5f, 4.73224645e-5f, 2.26580396e-5f,
     8.85290865e-6f, 3.48111348e-6f, 1.12419298e-6f, 3.44124715e-7f},
    {-0.00118795712f, 0.000642776664f, 0.000507694436f, -0.000157812727f, -0.000306758273f, -0.000157190399f,
     -6.81400343e-5f, -2.48583069e-6f, 2.4406083e-5f, 2.78962852e-5f, 2.02235478e-5f, 1.16445262e-5f,
     5.67722373e-6f, 2.45960564e-6f, 9.31164948e-7f, 3.23262412e-7f},
});
/// Φ(c + t) + (c + t) φ(c + t) to 2⁻²⁷ of the larger summand, in the same intervals.
inline constexpr Lines kGeluSlopePieces({
    {-0.32502538f, -0.922122121f, -1.52469695f, -1.99839735f, -2.41213107f, -2.77491093f, -3.13931513f,
     -3.45537376f, -3.73439813f, -4.00849628f, -4.27944326f, -4.51160431f, -4.75192404f, -4.98357964f,
     -5.20472956f, -5.40969038f},
    {0.249585897f, -0.0622349605f, -0.126568004f, -0.085404858f, -0.0445348397f, -0.0207949113f,
     -0.00822509266f, -0.00324693345f, -0.00130181678f, -0.000487960671f, -0.000170743704f, -6.52217204e-5f,
     -2.26749125e-5f, -7.72998465e-6f, -2.62531762e-6f, -9.21937612e-7f},
    {0.716856897f, 0.299811929f, -0.0405126959f, -0.107981376f, -0.0830509141f, -0.048387453f, -0.0226997845f,
     -0.0101303961f, -0.00446525309f, -0.0018197539f, -0.000686602783f, -0.000278429274f, -0.000102569305f,
     -3.68509027e-5f, -1.31235065e-5f, -4.80564677e-6f},
    {0.239493504f, 0.378698945f, 0.159350604f, 0.000346819055f, -0.0477002151f, -0.0435796902f,
     -0.0265590791f, -0.0139804529f, -0.006941617f, -0.00312872464f, -0.00128902704f, -0.000559642678f,
     -0.00022001841f, -8.37826155e-5f, -3.14296958e-5f, -1.20450259e-5f},
    {-0.206342056f, 0.0534164906f, 0.142834842f, 0.072276406f, 0.0104220835f, -0.0132863391f, -0.0154791968f,
     -0.0106975613f, -0.00628369953f, -0.00322748371f, -0.00148144271f, -0.000697358453f, -0.000295557868f,
     -0.000120216515f, -4.77915673e-5f, -1.92584957e-5f},
    {-0.0863596201f, -0.0938752741f, 0.0171767734f, 0.0450127088f, 0.0265570693f, 0.00727351196f,
     -0.00253972481f, -0.00428769598f, -0.00343632651f, -0.00214817422f, -0.00114025315f, -0.000594301673f,
     -0.000275804283f, -0.000121182769f, -5.14813073e-5f, -2.19511694e-5f},
    {0.0403845459f, -0.0312033687f, -0.0277781691f, 0.00262198085f, 0.0119731165f, 0.00829363521f,
     0.00269771111f, -0.000106688043f, -0.000914820994f, -0.000884294277f, -0.00059343531f, -0.000356939097f,
     -0.000186412246f, -8.99847e-5f, -4.14127098e-5f, -1.88326321e-5f},
    {0.018616017f, 0.0124170687f, -0.0106870085f, -0.00779566634f, -0.000112261718f, 0.00264701503f,
     0.00210648333f, 0.000907093578f, 0.000164655867f, -0.000143324418f, -0.000187477097f, -0.000146136634f,
     -9.12371324e-5f, -4.98720583e-5f, -2.55442646e-5f, -1.25494171e-5f},
    {-0.00701881945f, 0.00589540461f, 0.00270534772f, -0.00269104051f, -0.00231359759f, -7.64732104e-5f,
     0.000519089692f, 0.000482341682f, 0.000258621178f, 0.000120735931f, -7.14433372e-6f, -3.51325871e-5f,
     -3.12989177e-5f, -2.50126996e-5f, -1.21300809e-5f, -7.50856543e-6f},
});
inline constexpr float kPhiPiecesEnd = -5.5f;

/// What is in `pieces` at y, from 0 to their end.
inline Vec<float> at_interval(const Lines<9, 16>& pieces, const Vec<float>& y) {
    const Vec<float> steps = multiply_add(y, Vec<float>(kPhiSteps[0]), Vec<float>(kPhiSteps[1]));
    return pieces.polynomial(y, bits<float>(multiply_add(y, steps, Vec<float>(kRounder<float>))));
}
/// max(x, 0) + y times what is in `pieces` at y = −|x|; below their end what `beyond` says. Above 5.5, where y stays −5.5, the second
/// summand is nothing beside x.
inline Vec<float> gelu_by_pieces(const Vec<float>& x, const Lines<9, 16>& pieces, const auto& beyond) {
    const Vec<float> below = number<float>(bits<float>(x) | Vec<Bits<float>>(kSign<float>));
    const Vec<float> y = larger(Vec<float>(kPhiPiecesEnd), below);
    const Vec<float> near = multiply_add(y, at_interval(pieces, y), larger(Vec<float>(-0.0f), x));
    const auto far = x < Vec<float>(kPhiPiecesEnd);
    if (!xsimd::any(far)) [[likely]]
        return near;
    return xsimd::select(far, beyond(x), near);
}

/// x Φ(x) = max(x, 0) − |x| Q(|x|); near 0, |x| Q(|x|) is ½ |x| less a polynomial.
template <class T>
Vec<T> gelu_by_bell(const Vec<T>& x) {
    const Vec<T> y = within_tail<T>(x);
    const Bell<T> bell(y);
    const Vec<T> far =
        bell.times(Vec<T>(T(kGeluLevel)), quotient(polynomial<T>(y, kGeluG<T>), polynomial<T>(y, kGeluN<T>)));
    const Vec<T> near =
        multiply_add(bell.exponent, polynomial<T>(bell.square.high, kNormalNear<T>), Vec<T>(T(0.5)) * y);
    const Vec<T> tail = xsimd::select(y <= Vec<T>(T(kGeluNear)), near, far);
    return larger(Vec<T>(T(-0.0)), x) - tail;  // x where it is a zero or NaN
}

/// x Φ(x).
template <class T>
Vec<T> gelu(const Vec<T>& x) {
    if constexpr (kPicks<T>) {
        return gelu_by_pieces(x, kPhiPieces, [](const Vec<T>& far) { return gelu_by_bell<T>(far); });
    } else {
        return gelu_by_bell<T>(x);
    }
}

/// Its derivative, Φ(x) + x φ(x). For negative x the two cancel, so that more digits of Φ would be lost.
template <class T>
Vec<T> gelu_slope_by_bell(const Vec<T>& x) {
    const Vec<T> y = within_tail<T>(x);  // beyond, ∞ · 0 would be NaN
    const Vec<T> bell = Bell<T>(y).times(Vec<T>(1), Vec<T>(0));
    const Vec<T> tail = normal_tail<T>(y, bell);
    const Vec<T> upper = xsimd::select(x < Vec<T>(0), tail, Vec<T>(1) - tail);
    return multiply_add(with_sign<T>(y, x), bell * Vec<T>(T(0.39894228040143267794)), upper);
}
/// The same; at x and −x it is 1 in sum.
template <class T>
Vec<T> gelu_slope(const Vec<T>& x) {
    if constexpr (kPicks<T>) {
        const Vec<T> y = number<T>(bits<T>(x) | Vec<Bits<T>>(kSign<T>));
        const Vec<T> piece = at_interval(kGeluSlopePieces, y);
        const Vec<T> near = xsimd::select(x > Vec<T>(0), Vec<T>(1) - piece, piece);
        const auto far = y < Vec<T>(kPhiPiecesEnd);
        if (!xsimd::any(far)) [[likely]]
            return near;
        return xsimd::select(far, gelu_slope_by_bell<T>(x), near);
    } else {
        return gelu_slope_by_bell<T>(x);
    }
}

/// The constants of gelu's approximation, and what a type loses of them.
inline constexpr double kGeluSlope = 0x1.9884533d43651p+0;  // 2 √(2/π)
inline constexpr double kGeluCubic = 0.044715;
template <class T>
inline constexpr T kGeluSlopeLow = sizeof(T) == 4 ? T(kGeluSlope - double(float(kGeluSlope)))
                                                  : T(-0x1.cbc0d30ebfd15p-54);
template <class T>
inline constexpr T kGeluCubicLow = sizeof(T) == 4 ? T(kGeluCubic - double(float(kGeluCubic)))
                                                  : T(0x1.441355475a31ap-59);
/// ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))) = x σ(v), v = 2 √(2/π) x (1 + 0.044715 x²) with twice the digits.
template <class T>
Vec<T> gelu_tanh_by_exponential(const Vec<T>& x) {
    const Vec<T> end(50);  // beyond it is x or 0
    const Vec<T> z = xsimd::select(x > end, end, xsimd::select(x < -end, -end, x));
    const Pair<T> slope = {Vec<T>(T(kGeluSlope)), Vec<T>(kGeluSlopeLow<T>)};
    const Pair<T> cubic = {Vec<T>(T(kGeluCubic)), Vec<T>(kGeluCubicLow<T>)};
    const Pair<T> square = cubic * two_product<T>(z, z);
    const Pair<T> sum = two_sum<T>(Vec<T>(1), square.high);
    const Pair<T> v = slope * Pair<T>{z, Vec<T>(0)} * Pair<T>{sum.high, sum.low + square.low};
    const auto negative = x < Vec<T>(0);
    const Exponential<T> e(-xsimd::abs(v.high), xsimd::select(negative, v.low, -v.low));
    return xsimd::select(x > end, x, times_sigmoid<T>(z, x, e, quick_two_sum<T>(e.high, e.low)));
}
/// The same.
template <class T>
Vec<T> gelu_tanh(const Vec<T>& x) {
    if constexpr (kPicks<T>) {
        return gelu_by_pieces(x, kGeluTanhPieces,
                              [](const Vec<T>& far) { return gelu_tanh_by_exponential<T>(far); });
    } else {
        return gelu_tanh_by_exponential<T>(x);
    }
}

}  // namespace reel::kernels::REEL_SET::math
