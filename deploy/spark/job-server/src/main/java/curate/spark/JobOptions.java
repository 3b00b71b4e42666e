package curate.spark;

import org.apache.beam.sdk.options.Default;
import org.apache.beam.sdk.options.Description;
import org.apache.beam.sdk.options.PipelineOptions;

/** What a job may say to this server beyond Beam's own options. */
public interface JobOptions extends PipelineOptions {

  @Description("Spark partitions of this job's shuffles, instead of spark.default.parallelism; 0 keeps that.")
  @Default.Integer(0)
  int getSparkParallelism();

  void setSparkParallelism(int partitions);
}
