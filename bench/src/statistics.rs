//! What two heaps of samples say about each other.

/// Samples beyond this part of all are interruptions by others, and left out of means.
const CROP: f64 = 0.95;

/// The sample below which this part of them lies.
pub fn quantile(samples: &[f64], part: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * part) as usize]
}

pub fn median(samples: &[f64]) -> f64 {
    quantile(samples, 0.5)
}

/// Welch's t of the two means, both cropped at one value; beyond 4.5 a difference is no chance.
pub fn welch(one: &[f64], other: &[f64]) -> f64 {
    let limit = quantile(&[one, other].concat(), CROP);
    let (one, other) = (Moments::of(one, limit), Moments::of(other, limit));
    (one.mean - other.mean) / (one.variance / one.count + other.variance / other.count).sqrt()
}

struct Moments {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Moments {
    fn of(samples: &[f64], limit: f64) -> Self {
        let kept = || samples.iter().filter(|sample| **sample <= limit);
        let count = kept().count() as f64;
        let mean = kept().sum::<f64>() / count;
        let variance = kept().map(|sample| (sample - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Self { count, mean, variance }
    }
}
