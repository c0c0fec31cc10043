# Rscript cohort.R FOLDER: reads FOLDER/breast.csv and diabetes.csv, writes FOLDER/golden.json
#
# MatchIt 4.5.1 to 4.5.3 (Debian 12 has 4.5.1) cut differences of propensity scores to whole numbers: of controls at 0.6
# and 0.1 they take 0.1 for a case at 0.5, and a caliper may be ignored (issue 163 of MatchIt). So the distance is given
# times 1e8, where whole numbers are fine enough, and which does no harm without the fault. Before 4.5.3 a case may
# also get one control twice with replacement and ratio > 1: here it is 1.
suppressMessages({library(MatchIt); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
covariates <- list(breast = c("texture", "smoothness", "fractal"), diabetes = c("age", "bmi", "bp"))
designs <- list(
  plain = list(ratio = 1, link = "linear.logit"),
  caliper = list(ratio = 2, link = "linear.logit", caliper = 0.2, exact = ~sex),
  score = list(ratio = 1, link = "logit", caliper = 0.25, m.order = "smallest"),
  replaced = list(ratio = 1, link = "linear.logit", caliper = 0.2, replace = TRUE))

matched <- function(d, names, design) {
  f <- reformulate(names, "case")
  p <- glm(f, data = d, family = binomial, epsilon = 1e-14, maxit = 100)
  distance <- predict(p, type = if (design$link == "logit") "response" else "link"); design$link <- NULL
  m <- suppressWarnings(do.call(matchit, c(list(f, data = d, method = "nearest", distance = distance * 1e8), design)))
  s <- summary(m); scale <- c(1e8, rep(1, nrow(s$sum.all) - 1))
  list(pairs = m$match.matrix, cases = rownames(m$match.matrix), distance = as.vector(distance),
       weights = as.vector(m$weights), caliper = as.vector(m$caliper) / 1e8, variables = rownames(s$sum.all),
       before = unname(s$sum.all[, 1:4] / cbind(scale, scale, 1, 1)),
       after = unname(s$sum.matched[, 1:4] / cbind(scale, scale, 1, 1)), sizes = unname(s$nn))
}
shares <- function(t) { p <- prop.table(t, 2); p <- p[-1, , drop = FALSE]; d <- p[, 1] - p[, 2]
  s <- (diag(p[, 1], nrow(p)) - p[, 1] %o% p[, 1] + diag(p[, 2], nrow(p)) - p[, 2] %o% p[, 2]) / 2
  if (length(d) == 1) d / sqrt(s[1, 1]) else sqrt(drop(d %*% solve(s) %*% d)) }
compared <- function(d, name) {
  a <- d[d$group == "case", name]; b <- d[d$group == "control", name]; x <- c(a, b)
  g <- factor(rep(1:2, c(length(a), length(b)))); z <- abs(x - ave(x, g))
  w <- suppressWarnings(wilcox.test(a, b))
  list(shapiro = c(shapiro.test(a)$p.value, shapiro.test(b)$p.value),
       student = c(t.test(a, b, var.equal = TRUE)$statistic, t.test(a, b, var.equal = TRUE)$p.value),
       welch = c(t.test(a, b)$statistic, t.test(a, b)$p.value, t.test(a, b)$parameter),
       levene = anova(lm(z ~ g))[1, "Pr(>F)"], wilcoxon = c(w$statistic, w$p.value),
       smd = (mean(a) - mean(b)) / sqrt((var(a) + var(b)) / 2), mean = c(mean(a), mean(b)), sd = c(sd(a), sd(b)),
       quartiles = rbind(quantile(a, c(.25, .5, .75)), quantile(b, c(.25, .5, .75))))
}
counted <- function(d, name) {
  t <- table(d[[name]], d$group); chi <- suppressWarnings(chisq.test(t, correct = FALSE))
  list(counts = unclass(unname(t)), chisq = c(chi$statistic, chi$p.value, chi$parameter),
       yates = suppressWarnings(chisq.test(t))$p.value, fisher = fisher.test(t, workspace = 2e7)$p.value, smd = shares(t))
}
out <- list()
for (name in names(covariates)) {
  d <- read.csv(file.path(folder, paste0(name, ".csv")), row.names = 1); d$case <- as.integer(d$group == "case")
  few <- head(d, 40)
  out[[name]] <- list(
    matching = lapply(designs, function(one) matched(d, covariates[[name]], one)),
    numbers = lapply(setNames(nm = covariates[[name]]), function(v) compared(d, v)),
    few_numbers = lapply(setNames(nm = covariates[[name]]), function(v) compared(few, v)),
    shares = lapply(setNames(nm = c("sex", "band")), function(v) counted(d, v)),
    few_shares = lapply(setNames(nm = c("sex", "band")), function(v) counted(few, v)))
}
writeLines(toJSON(out, digits = NA, auto_unbox = TRUE, na = "null"), file.path(folder, "golden.json"))
