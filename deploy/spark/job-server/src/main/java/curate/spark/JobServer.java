package curate.spark;

import java.util.UUID;
import org.apache.beam.model.pipeline.v1.RunnerApi.Pipeline;
import org.apache.beam.runners.fnexecution.provisioning.JobInfo;
import org.apache.beam.runners.jobsubmission.JobInvocation;
import org.apache.beam.runners.jobsubmission.JobInvoker;
import org.apache.beam.runners.jobsubmission.JobServerDriver;
import org.apache.beam.runners.jobsubmission.PortablePipelineResult;
import org.apache.beam.runners.spark.SparkContextOptions;
import org.apache.beam.runners.spark.SparkPipelineOptions;
import org.apache.beam.runners.spark.SparkPipelineRunner;
import org.apache.beam.runners.spark.translation.SparkContextFactory;
import org.apache.beam.sdk.io.FileSystems;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.util.construction.PipelineOptionsTranslation;
import org.apache.beam.vendor.grpc.v1p60p1.com.google.protobuf.Struct;
import org.apache.beam.vendor.guava.v32_1_2_jre.com.google.common.util.concurrent.ListeningExecutorService;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.kohsuke.args4j.CmdLineException;
import org.kohsuke.args4j.CmdLineParser;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Beam's job server for Spark, with one Spark context for all of its jobs.
 *
 * <p>Beam's own makes a context for each job, whose executors start anew: seconds a job, and a second job beside the
 * first fails. Its switch for one context leaves the tasks of a cancelled job running; here they are cancelled.
 */
public final class JobServer extends JobServerDriver {

  private static final int CANCEL_ROUNDS = 50;
  private static final int REMINDER_ROUNDS = 150;
  private static final long PAUSE_MILLIS = 100;
  private static final Logger LOG = LoggerFactory.getLogger(JobServer.class);

  private JobServer(ServerConfiguration configuration) {
    super(
        configuration,
        new HostServerFactory(configuration.getHost()),
        new HostServerFactory(configuration.getHost()),
        Invoker::new);
  }

  /** Takes the options --job-host, --job-port, --artifact-port, --expansion-port and --artifacts-dir. */
  public static void main(String[] arguments) throws CmdLineException {
    ServerConfiguration configuration = new ServerConfiguration();
    new CmdLineParser(configuration).parseArgument(arguments);
    PipelineOptionsFactory.register(JobOptions.class);
    FileSystems.setDefaultPipelineOptions(PipelineOptionsFactory.create());
    new JobServer(configuration).run();
    // It returns when it could not start, too: the log says why.
    System.exit(1);
  }

  private static final class Invoker extends JobInvoker {
    private JavaSparkContext spark;
    private int parallelism;

    Invoker() {
      super("spark-job-%d");
    }

    @Override
    protected JobInvocation invokeWithExecutor(
        Pipeline pipeline, Struct given, String retrievalToken, ListeningExecutorService executor) {
      SparkPipelineOptions options = PipelineOptionsTranslation.fromProto(given).as(SparkPipelineOptions.class);
      options.setRunner(null);
      options.as(SparkContextOptions.class).setUsesProvidedSparkContext(true);
      String id = options.getJobName() + "_" + UUID.randomUUID();
      Struct resolved = PipelineOptionsTranslation.toProto(options);
      JobInfo job = JobInfo.create(id, options.getJobName(), retrievalToken, resolved);
      return new JobInvocation(job, executor, pipeline, (what, info) -> run(what, info, options));
    }

    private PortablePipelineResult run(Pipeline pipeline, JobInfo job, SparkPipelineOptions options)
        throws Exception {
      JavaSparkContext context = context(options.as(JobOptions.class).getSparkParallelism());
      awaitExecutor(context);
      // Spark jobs of threads that the runner starts belong to the group of this one.
      context.setJobGroup(job.jobId(), job.jobName(), true);
      try {
        return new SparkPipelineRunner(options).run(pipeline, job);
      } catch (RuntimeException failedOrCancelled) {
        cancel(context, job.jobId());
        throw failedOrCancelled;
      } finally {
        context.clearJobGroup();
      }
    }

    /** The context, made anew where Spark has given it up, which it does when executors keep failing. */
    private synchronized JavaSparkContext context(int wanted) {
      if (spark == null || spark.sc().isStopped()) {
        spark = connected(new SparkConf());
        parallelism = spark.defaultParallelism();
        SparkContextFactory.setProvidedSparkContext(spark);
      }
      spark.sc().conf().set("spark.default.parallelism", Integer.toString(wanted > 0 ? wanted : parallelism));
      return spark;
    }

    /** A context, or why there is none: the second time Spark says of a wrong master only that it was stopped. */
    private static JavaSparkContext connected(SparkConf settings) {
      try {
        return new JavaSparkContext(settings.setIfMissing("spark.app.name", "curate"));
      } catch (RuntimeException refused) {
        throw new IllegalStateException(unanswered(settings.get("spark.master", "")), refused);
      }
    }

    private static String unanswered(String master) {
      return "Spark master " + master + " does not answer, or took no application";
    }

    /** Waits for the first executor. Spark gives up a master that does not answer after a minute, in the background. */
    private static void awaitExecutor(JavaSparkContext context) throws InterruptedException {
      if (context.getConf().getBoolean("spark.dynamicAllocation.enabled", false)) {
        return; // executors are asked for by tasks, of which there are none yet
      }
      for (int round = 1; !context.isLocal() && context.sc().statusTracker().getExecutorInfos().length < 2; round++) {
        if (context.sc().isStopped()) {
          throw new IllegalStateException(unanswered(context.master()));
        }
        if (round % REMINDER_ROUNDS == 0) {
          LOG.warn("No executor yet. Has {} as much memory and as many cores free as executors need?", context.master());
        }
        Thread.sleep(PAUSE_MILLIS);
      }
    }

    /** Cancels more than once: between two Spark jobs of a Beam job there is a moment when none is running. */
    private static void cancel(JavaSparkContext context, String group) {
      Thread canceller =
          new Thread(
              () -> {
                for (int round = 0; round < CANCEL_ROUNDS && !context.sc().isStopped(); round++) {
                  context.cancelJobGroup(group);
                  pause();
                }
              });
      canceller.setDaemon(true);
      canceller.start();
    }

    private static void pause() {
      try {
        Thread.sleep(PAUSE_MILLIS);
      } catch (InterruptedException stopped) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
