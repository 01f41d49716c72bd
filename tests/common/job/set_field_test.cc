#include "common/job/set_field.h"

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "tests/common/job/job_text.h"

namespace convoy {
namespace {

using google::protobuf::util::MessageDifferencer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// `job` after --set `argument`.
v1::Job With(v1::Job job, const std::string& argument) {
  const auto changed = SetField(argument, &job);
  EXPECT_TRUE(changed.ok()) << changed.status();
  return job;
}

// The error of --set `argument`, which must leave the job as it was.
std::string ErrorOf(const std::string& argument, const v1::Job& job = {}) {
  v1::Job changed = job;
  const auto result = SetField(argument, &changed);
  EXPECT_TRUE(MessageDifferencer::Equals(changed, job));
  return std::string(result.status().message());
}

v1::Job JobWithOverrides() {
  return Parsed(SmallJobAnd("optimizer { override { match: 'a' l2: 1 } override { match: 'b' } }"));
}

TEST(SetFieldTest, ScalarsAreReplacedAndMissingGroupsCreated) {
  EXPECT_EQ(With({}, "optimizer.learning_rate=0.5").optimizer().learning_rate(), 0.5);
  EXPECT_EQ(With(With({}, "training.epochs=3"), "training.epochs= 4 ").training().epochs(), 4u);
  EXPECT_TRUE(With({}, "data.zero_based=true").data().zero_based());
  EXPECT_EQ(With({}, "seed=18446744073709551615").seed(), 18446744073709551615u);
}

TEST(SetFieldTest, EnumerationsAreSetByName) {
  EXPECT_EQ(With({}, "data.format=LIBSVM").data().format(), v1::Data::LIBSVM);
  EXPECT_EQ(With({}, "training.nan_policy=SKIP").training().nan_policy(), v1::Training::SKIP);
}

TEST(SetFieldTest, StringsMayBeQuotedOrNot) {
  EXPECT_EQ(With({}, "training.mode=ssp:3").training().mode(), "ssp:3");
  EXPECT_EQ(With({}, "training.mode=\"ssp:3\"").training().mode(), "ssp:3");
  EXPECT_EQ(With({}, "data.train=a=b, 'c'").data().train(), "a=b, 'c'");
  EXPECT_EQ(With({}, "name='a\\x41'").name(), "aA");
  EXPECT_EQ(With({}, "name=").name(), "");
}

TEST(SetFieldTest, FieldInsideAnAlternativeSelectsIt) {
  const v1::Job before = Parsed(SmallJobAnd("optimizer { momentum { momentum: 0.5 } }"));
  const v1::Job job = With(before, "optimizer.adam.beta1=0.8");
  EXPECT_EQ(job.optimizer().algorithm_case(), v1::Optimizer::kAdam);
  EXPECT_EQ(job.optimizer().adam().beta1(), 0.8);
}

TEST(SetFieldTest, FieldInsideTheAlternativeInUseKeepsTheOthers) {
  const v1::Job before = Parsed(SmallJobAnd("optimizer { adam { beta2: 0.5 } }"));
  const v1::Job job = With(before, "optimizer.adam.beta1=0.8");
  EXPECT_EQ(job.optimizer().adam().beta2(), 0.5);
}

TEST(SetFieldTest, ScalarAlternativeClearsTheOther) {
  const v1::Job job = With(With({}, "data.validation.path=x"), "data.validation.fraction=0.1");
  EXPECT_FALSE(job.data().validation().has_path());
  EXPECT_EQ(job.data().validation().fraction(), 0.1);
}

TEST(SetFieldTest, GroupIsReplacedAsAWhole) {
  const v1::Job before = Parsed(SmallJobAnd("optimizer { adam { beta1: 0.5 beta2: 0.5 } }"));
  const v1::Job job = With(before, "optimizer.adam={beta1: 0.6}");
  EXPECT_EQ(job.optimizer().adam().beta1(), 0.6);
  EXPECT_FALSE(job.optimizer().adam().has_beta2());
  EXPECT_TRUE(With(before, "optimizer.sgd={}").optimizer().has_sgd());
}

TEST(SetFieldTest, ListOfNumbersIsReplacedAsAWhole) {
  const v1::Job before = With({}, "model.mlp.hidden=1,2,3");
  EXPECT_THAT(before.model().mlp().hidden(), ElementsAre(1, 2, 3));
  EXPECT_THAT(With(before, "model.mlp.hidden=256, 128").model().mlp().hidden(),
              ElementsAre(256, 128));
  EXPECT_THAT(With(before, "model.mlp.hidden=").model().mlp().hidden(), ElementsAre());
}

TEST(SetFieldTest, PlusAppendsToAListOfNumbers) {
  const v1::Job job = With(With({}, "model.mlp.hidden=256"), "model.mlp.hidden+=128,64");
  EXPECT_THAT(job.model().mlp().hidden(), ElementsAre(256, 128, 64));
}

TEST(SetFieldTest, PlusAppendsAGroupToAList) {
  const v1::Job job = With(JobWithOverrides(), "optimizer.override+={match: \"c\" l2: 0}");
  ASSERT_EQ(job.optimizer().override_size(), 3);
  EXPECT_EQ(job.optimizer().override(2).match(), "c");
  EXPECT_TRUE(job.optimizer().override(2).has_l2());
}

TEST(SetFieldTest, ListOfGroupsIsReplacedByOneOrEmptied) {
  const v1::Job one = With(JobWithOverrides(), "optimizer.override={match: \"c\"}");
  ASSERT_EQ(one.optimizer().override_size(), 1);
  EXPECT_EQ(one.optimizer().override(0).match(), "c");
  EXPECT_EQ(With(JobWithOverrides(), "optimizer.override=").optimizer().override_size(), 0);
}

TEST(SetFieldTest, BracketsAddressOneElement) {
  const v1::Job job = With(JobWithOverrides(), "optimizer.override[1].l2=3");
  EXPECT_EQ(job.optimizer().override(1).l2(), 3);
  EXPECT_EQ(job.optimizer().override(1).match(), "b");
  EXPECT_EQ(job.optimizer().override(0).l2(), 1);
  EXPECT_EQ(With(job, "optimizer.override[0]={match:'z'}").optimizer().override(0).match(), "z");
  EXPECT_THAT(
      With(With({}, "model.mlp.hidden=1,2,3"), "model.mlp.hidden[1]=9").model().mlp().hidden(),
      ElementsAre(1, 9, 3));
}

TEST(SetFieldTest, BracketsAddressTheKeyOfAMap) {
  v1::Job job = With({}, "model.custom.parameters[depth]=3");
  job = With(job, "model.custom.parameters[a.b=c]=x=y");
  job = With(job, "model.custom.parameters[depth]=\"4\"");
  EXPECT_EQ(job.model().custom().parameters().size(), 2u);
  EXPECT_EQ(job.model().custom().parameters().at("depth"), "4");
  EXPECT_EQ(job.model().custom().parameters().at("a.b=c"), "x=y");
}

TEST(SetFieldTest, ReturnsThePathOfWhatChanged) {
  v1::Job job = JobWithOverrides();
  EXPECT_EQ(SetField("optimizer.override[1].l2=3", &job).value(), "optimizer.override[1].l2");
  EXPECT_EQ(SetField("optimizer.override+={match: 'c'}", &job).value(), "optimizer.override[2]");
  EXPECT_EQ(SetField("model.mlp.hidden=3", &job).value(), "model.mlp.hidden");
}

TEST(SetFieldErrorTest, UnknownFieldNamesTheGroupAndSuggests) {
  EXPECT_EQ(ErrorOf("optimizr.learning_rate=1"),
            "unknown field \"optimizr\" in the job, did you mean \"optimizer\"?");
  EXPECT_EQ(ErrorOf("optimizer.adam.beta=1"),
            "unknown field \"beta\" in optimizer.adam, did you mean \"beta1\"?");
}

TEST(SetFieldErrorTest, FieldOfAnotherGroupIsFound) {
  EXPECT_EQ(ErrorOf("epochs=3"),
            "unknown field \"epochs\" in the job, did you mean \"training.epochs\"?");
}

TEST(SetFieldErrorTest, UnknownFieldWithoutASimilarOneListsAll) {
  EXPECT_EQ(ErrorOf("model.mlp.zzzzzz=1"),
            "unknown field \"zzzzzz\" in model.mlp. Fields: hidden, activation, dropout");
  EXPECT_EQ(ErrorOf("optimizer.sgd.zzzzzz=1"),
            "unknown field \"zzzzzz\" in optimizer.sgd, which has no fields");
}

TEST(SetFieldErrorTest, WrongValueNamesTheExpectedType) {
  EXPECT_EQ(ErrorOf("training.epochs=ten"), "training.epochs must be a whole number >= 1, got ten");
  EXPECT_EQ(ErrorOf("cluster.servers=-1"),
            "cluster.servers must be a whole number from 1 to 64, got -1");
  EXPECT_EQ(ErrorOf("seed=1.5"),
            "seed must be a whole number from 0 to 18446744073709551615, got 1.5");
  EXPECT_EQ(ErrorOf("optimizer.learning_rate=fast"),
            "optimizer.learning_rate must be a number > 0, got fast");
  EXPECT_EQ(ErrorOf("data.scale="), "data.scale must be a number, got nothing");
  EXPECT_EQ(ErrorOf("data.shuffle=yes"), "data.shuffle must be true or false, got yes");
  EXPECT_EQ(ErrorOf("name='open"), "name must be a string in quotes, got 'open");
}

TEST(SetFieldErrorTest, UnknownEnumerationValueSuggestsAndListsAll) {
  EXPECT_EQ(ErrorOf("model.mlp.activation=RELUU"),
            "unknown value \"RELUU\" for model.mlp.activation, did you mean RELU? "
            "Values: RELU, TANH, GELU");
  EXPECT_EQ(ErrorOf("model.mlp.activation=swish"),
            "unknown value \"swish\" for model.mlp.activation. Values: RELU, TANH, GELU");
}

TEST(SetFieldErrorTest, OneWrongElementLeavesTheListAsItWas) {
  EXPECT_EQ(ErrorOf("model.mlp.hidden=1,x", With({}, "model.mlp.hidden=5")),
            "model.mlp.hidden must be a whole number from 1 to 1048576, got x");
}

TEST(SetFieldErrorTest, GroupNeedsBraces) {
  EXPECT_EQ(ErrorOf("optimizer.momentum=0.9"),
            "optimizer.momentum is a group of fields: expected {...}, got 0.9");
  EXPECT_EQ(ErrorOf("optimizer.momentum="),
            "optimizer.momentum is a group of fields: expected {...}, got nothing");
}

TEST(SetFieldErrorTest, MistakesInsideAGroupAreAllNamed) {
  EXPECT_EQ(ErrorOf("optimizer.adam={beta: 1 epsilon: x}"),
            "unknown field \"beta\" in optimizer.adam, did you mean \"beta1\"?; "
            "optimizer.adam.epsilon must be a number > 0, got x");
}

TEST(SetFieldErrorTest, GroupThatEndsEarlyIsRefused) {
  EXPECT_THAT(ErrorOf("optimizer.adam={beta1:0} beta2:{0}"), HasSubstr("unexpected \"}\""));
}

TEST(SetFieldErrorTest, IndexesMustExist) {
  EXPECT_EQ(ErrorOf("optimizer.override[2].l2=0", JobWithOverrides()),
            "optimizer.override has 2 elements, counted from 0, but no [2]; += appends one");
  EXPECT_THAT(ErrorOf("optimizer.override[-1].l2=0", JobWithOverrides()), HasSubstr("no [-1]"));
  EXPECT_THAT(ErrorOf("optimizer.override[x].l2=0", JobWithOverrides()), HasSubstr("no [x]"));
  EXPECT_EQ(ErrorOf("optimizer.override.l2=0", JobWithOverrides()),
            "optimizer.override is a list: name the element, as in optimizer.override[0]");
}

TEST(SetFieldErrorTest, OnlyListsAreIndexedOrAppendedTo) {
  EXPECT_EQ(ErrorOf("training.epochs[0]=1"), "training.epochs is no list, so [0] can't follow it");
  EXPECT_EQ(ErrorOf("training.epochs+=1"), "training.epochs is no list, so += can't append to it");
  EXPECT_EQ(ErrorOf("model.custom.parameters=1"),
            "model.custom.parameters is set key by key: model.custom.parameters[key]=value");
}

TEST(SetFieldErrorTest, NothingFollowsAScalar) {
  EXPECT_EQ(ErrorOf("training.epochs.x=1"),
            "training.epochs is no group of fields, so nothing can follow it");
}

TEST(SetFieldErrorTest, OtherFormsAreRefused) {
  const std::string form = "expected path.to.field=value, e.g. optimizer.learning_rate=0.1";
  for (const char* argument : {"", "=", "seed", "seed:1", ".seed=1", "a..b=1", "seed =1", "+=1"}) {
    EXPECT_EQ(ErrorOf(argument), form) << argument;
  }
  EXPECT_EQ(ErrorOf("optimizer.override[0=1"), "\"[\" is not closed by \"]\"");
}

TEST(SetFieldTest, StringInQuotesMayHaveCommas) {
  const v1::Job job = With(With({}, "optimizer.freeze+=\"a{1,2}\""), "optimizer.freeze+=b,c");
  EXPECT_THAT(job.optimizer().freeze(), ElementsAre("a{1,2}", "b", "c"));
  EXPECT_THAT(With({}, "optimizer.freeze=\"a\",\"b\"").optimizer().freeze(), ElementsAre("a", "b"));
}

TEST(SetHelpTest, EveryExampleOfTheHelpDoesWhatItSays) {
  v1::Job job = With(JobWithOverrides(), "optimizer.momentum={momentum: 0.8}");
  for (const char* argument :
       {"optimizer.learning_rate=0.1", "model.mlp.activation=GELU", "training.mode=ssp:3",
        "optimizer.momentum={momentum: 0.8}", "optimizer.adam.beta1=0.8",
        "model.mlp.hidden=256,128", "model.mlp.hidden+=64",
        "optimizer.override+={match: \"layer1/.*\" l2: 0}", "model.mlp.hidden[0]=64",
        "optimizer.freeze+=\"layer[1,2]/.*\"", "optimizer.override[0].l2=0",
        "model.custom.parameters[depth]=3"}) {
    EXPECT_NE(kSetHelp.find(argument), std::string_view::npos) << argument;
    job = With(job, argument);
  }
}

}  // namespace
}  // namespace convoy
