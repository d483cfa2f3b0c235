# Nearest-neighbour matching by MatchIt, timed without the reading of its data: Rscript counterfactual_matchit.R DATA.csv.
# Logit, matching and the balance table of summary(); no standard error. Prints one line of JSON.
suppressMessages(library(MatchIt))
given <- commandArgs(trailingOnly = TRUE)
data <- read.csv(given[1])
model <- reformulate(setdiff(names(data), c("person", "treated", "y")), "treated")
matched <- function(rows) summary(matchit(model, rows, method = "nearest", distance = "glm", m.order = "largest"))
few <- rbind(head(data[data$treated == 1, ], 60), head(data[data$treated == 0, ], 400))
invisible(matched(few)) # what R compiles and loads on the way is off the clock
before <- proc.time()
found <- matched(data)
took <- proc.time() - before
peak <- NA
if (file.exists("/proc/self/status")) {
  line <- grep("^VmHWM", readLines("/proc/self/status"), value = TRUE)
  peak <- as.numeric(gsub("[^0-9]", "", line)) / 1024
}
cat(sprintf(
  '{"seconds": %.6f, "cpu": %.6f, "peak": %s, "version": "%s"}\n',
  took[["elapsed"]], took[["user.self"]] + took[["sys.self"]], ifelse(is.na(peak), "null", sprintf("%.1f", peak)),
  as.character(packageVersion("MatchIt"))
))
