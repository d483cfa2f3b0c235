# A growth model by lme4, timed without the reading of its data: Rscript outcomes_lmer.R DATA.csv FORMULA.
# Prints one line of JSON, written by hand so that lme4 is the only package needed.
suppressMessages(library(lme4))
given <- commandArgs(trailingOnly = TRUE)
data <- read.csv(given[1])
model <- as.formula(given[2])
few <- data[data$child %in% unique(data$child)[1:200], ]
invisible(suppressWarnings(suppressMessages(lmer(model, few)))) # what R compiles and loads on the way is off the clock
before <- proc.time()
fit <- suppressWarnings(suppressMessages(lmer(model, data)))
took <- proc.time() - before
peak <- NA
if (file.exists("/proc/self/status")) {
  line <- grep("^VmHWM", readLines("/proc/self/status"), value = TRUE)
  peak <- as.numeric(gsub("[^0-9]", "", line)) / 1024
}
list_of <- function(values) paste0("[", paste(sprintf("%.17g", values), collapse = ", "), "]")
cat(sprintf(
  paste0(
    '{"seconds": %.6f, "cpu": %.6f, "peak": %s, "version": "%s", ',
    '"estimates": %s, "standard errors": %s, "variances": %s}\n'
  ),
  took[["elapsed"]], took[["user.self"]] + took[["sys.self"]], ifelse(is.na(peak), "null", sprintf("%.1f", peak)),
  as.character(packageVersion("lme4")),
  list_of(fixef(fit)), list_of(sqrt(diag(as.matrix(vcov(fit))))), list_of(as.data.frame(VarCorr(fit))$vcov)
))
