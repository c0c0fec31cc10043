# Golden values of test_judging_*.py: pROC, rms, Hmisc, and hand calculations where R has no package here.
# In this folder: Rscript judging.R > judging_golden.json
suppressMessages({library(pROC); library(rms); library(jsonlite)})

area <- function(r) as.numeric(ci.auc(r, method = "delong"))[c(2, 1, 3)]
tested <- function(t) list(statistic = unname(t$statistic), p = unname(t$p.value))

hosmer <- function(y, p, lost) {
  cuts <- unique(quantile(p, seq(0, 1, 0.1)))
  g <- cut(p, cuts, include.lowest = TRUE)
  o <- tapply(y, g, sum); e <- tapply(p, g, sum); n <- tapply(y, g, length)
  x <- sum((o - e)^2 / (e * (1 - e / n)))
  list(groups = length(o), observed = unname(o), expected = unname(e), statistic = x,
       p = pchisq(x, length(o) - lost, lower.tail = FALSE))
}

nri <- function(y, old, new, cuts) {
  up <- sign(findInterval(new, cuts) - findInterval(old, cuts)); a <- up[y == 1]; b <- -up[y == 0]
  v <- mean(a^2 - mean(a)^2) / length(a) + mean(b^2 - mean(b)^2) / length(b)
  est <- mean(a) + mean(b)
  list(total = est, events = mean(a), non_events = mean(b), se = sqrt(v), p = 2 * pnorm(-abs(est / sqrt(v))))
}

benefit <- function(y, p, pt) sapply(pt, function(t)
  mean(p >= t & y == 1) - mean(p >= t & y == 0) * t / (1 - t))

recalibrated <- function(y, p) {
  control <- glm.control(epsilon = 1e-14, maxit = 100)
  f <- glm(y ~ qlogis(p), family = binomial, control = control)
  large <- glm(y ~ 1, offset = qlogis(p), family = binomial, control = control)
  ci <- function(m) unname(cbind(coef(m), confint.default(m)))
  list(fit = ci(f), large = ci(large)[1, ])
}

smoothed <- function(y, p) {
  s <- lowess(p, y, iter = 0)
  at <- approx(s, xout = p, ties = mean)$y
  er <- abs(p - at)
  grid <- seq(min(p), max(p), length.out = 101)
  list(at = at, grid = approx(s, xout = grid, ties = mean)$y, e50 = unname(quantile(er, 0.5)), eci = mean(er^2))
}

judged <- function(d) {
  y <- d$y; half <- seq_along(y) <= length(y) %/% 2
  curve <- function(score, keep = TRUE)
    roc(y[keep], score[keep], levels = c(0, 1), direction = "<", quiet = TRUE)
  paired <- roc.test(curve(d$new), curve(d$old), method = "delong", paired = TRUE)
  apart <- suppressWarnings(roc.test(curve(d$new, half), curve(d$old, !half), method = "delong", paired = FALSE))
  best <- coords(curve(d$new), "best", best.method = "youden",
                 ret = c("threshold", "sensitivity", "specificity", "tp", "fp", "fn", "tn"))
  corners <- coords(curve(d$new), "all", ret = c("threshold", "sensitivity", "specificity"))
  at90 <- max(corners$threshold[corners$sensitivity >= 0.9])
  set.seed(1)
  band <- ci.se(curve(d$new), specificities = seq(0.1, 0.9, 0.2), boot.n = 2000, progress = "none")
  at <- c(0.03, 0.25, 0.5, 0.62, 0.8, 0.9, 0.97)
  read <- coords(curve(d$new), at, input = "specificity", ret = "sensitivity")$sensitivity
  i <- improveProb(d$old, d$new, y)
  v <- val.prob(d$new, y, pl = FALSE)
  table <- list(tp = sum(d$new >= 0.5 & y), fp = sum(d$new >= 0.5 & !y),
                fn = sum(d$new < 0.5 & y), tn = sum(d$new < 0.5 & !y))
  wilson <- function(k, n) as.numeric(prop.test(k, n, correct = FALSE)$conf.int)
  pt <- c(0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 0.9)
  list(
    auc_old = area(curve(d$old)), auc_new = area(curve(d$new)),
    paired = c(tested(paired), list(interval = as.numeric(paired$conf.int))),
    unpaired = c(tested(apart), list(degrees = unname(apart$parameter))),
    corners = corners, youden = as.list(best), at90 = at90, band = unclass(band)[, ],
    read = list(specificity = at, sensitivity = read),
    improve = unclass(i), nri = nri(y, d$old, d$new, c(0.2, 0.5)),
    val_prob = as.list(v), recalibrated = recalibrated(y, d$new), smoothed = smoothed(y, d$new),
    hosmer_fitted = hosmer(y, d$new, 2), hosmer_other = hosmer(y, d$new, 0),
    table = table, wilson = list(
      accuracy = wilson(table$tp + table$tn, length(y)), sensitivity = wilson(table$tp, table$tp + table$fn),
      specificity = wilson(table$tn, table$tn + table$fp), ppv = wilson(table$tp, table$tp + table$fp),
      npv = wilson(table$tn, table$tn + table$fn)),
    net_benefit = list(thresholds = pt, values = benefit(y, d$new, pt)))
}

found <- lapply(c(breast_cancer = "breast_cancer", diabetes = "diabetes"),
                function(name) judged(read.csv(paste0("judging_", name, ".csv"))))
cat(toJSON(found, digits = NA, auto_unbox = TRUE, dataframe = "columns", pretty = FALSE))
