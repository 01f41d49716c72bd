// Which examples are trained on, and which are measured on.

#include <cstdint>
#include <set>

#include "tests/worker/data/dataset_fixture.h"

namespace convoy {
namespace {

using ::convoy::testing::Fails;
using ::convoy::testing::kInvalid;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DatasetPartsTest : public DatasetTest {};

TEST_F(DatasetPartsTest, FractionIsDisjointFixedAndTogetherWhole) {
  UseRows(101);
  data_.mutable_validation()->set_fraction(0.2);
  const auto first = Open(5), again = Open(5), other = Open(6);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->validation->size(), 20);  // round(20.2)
  EXPECT_EQ(first->train->size(), 81);
  std::set<float> all, held, held_again, held_other;
  for (int i = 0; i < 81; ++i) all.insert(first->train->label(i));
  for (int i = 0; i < 20; ++i) {
    held.insert(first->validation->label(i));
    held_again.insert(again->validation->label(i));
    held_other.insert(other->validation->label(i));
  }
  all.insert(held.begin(), held.end());
  EXPECT_EQ(all.size(), 101U);
  EXPECT_EQ(held, held_again);
  EXPECT_NE(held, held_other);
  Batch batch;
  first->validation->Read(std::vector<uint32_t>{3}, &batch);
  EXPECT_THAT(batch.labels, ElementsAre(first->validation->label(3)));
  EXPECT_EQ(batch.values[0], batch.labels[0]);
  EXPECT_THAT(batch.examples, ElementsAre(3));
}

TEST_F(DatasetPartsTest, FractionLeavesAtLeastOneExampleOnEachSide) {
  UseRows(2);
  data_.mutable_validation()->set_fraction(0.001);
  EXPECT_EQ(Open()->validation->size(), 1);
  data_.mutable_validation()->set_fraction(0.999);
  EXPECT_EQ(Open()->train->size(), 1);
  UseRows(1);
  EXPECT_THAT(Open().status(), Fails(kInvalid, HasSubstr("at least 2 examples, got 1")));
}

// Rows of 10 examples with the labels 0 to 9.
TEST_F(DatasetPartsTest, KeptClassesAreAllThatThereIs) {
  UseRows(10);
  for (const uint32_t label : {7u, 2u, 4u}) data_.add_keep_classes(label);
  auto sets = Open();
  ASSERT_TRUE(sets.ok()) << sets.status();
  ASSERT_EQ(sets->train->size(), 3);
  EXPECT_EQ(sets->train->label(0), 2);
  EXPECT_EQ(sets->train->label(2), 7);
  const uint64_t fingerprint = sets->train->fingerprint();
  data_.add_keep_classes(5);
  sets = Open();
  EXPECT_EQ(sets->train->size(), 4);
  EXPECT_NE(sets->train->fingerprint(), fingerprint);
  EXPECT_EQ((*OpenFile(data_, data_.train(), nullptr))->size(), 4);
  EXPECT_EQ((*OpenFile(data_, data_.train(), nullptr, {nullptr, /*labels=*/false}))->size(), 10);
}

TEST_F(DatasetPartsTest, KeptClassesOfAPartAreRowsOfThatPart) {
  UseRows(100);
  data_.mutable_validation()->set_fraction(0.5);
  const auto whole = Open();
  std::set<float> held_back;
  for (int64_t i = 0; i < whole->validation->size(); ++i)
    held_back.insert(whole->validation->label(i));
  for (uint32_t label = 0; label < 40; ++label) data_.add_keep_classes(label);
  const auto kept = Open();
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(kept->train->size() + kept->validation->size(), 40);
  for (int64_t i = 0; i < kept->validation->size(); ++i) {
    EXPECT_TRUE(held_back.contains(kept->validation->label(i)));
  }
}

TEST_F(DatasetPartsTest, KeptClassesThatNoExampleHasAreNamed) {
  UseRows(10);
  data_.add_keep_classes(11);
  EXPECT_THAT(Open().status(),
              Fails(kInvalid, AllOf(HasSubstr("data.keep_classes"), HasSubstr("class 11"))));
}

TEST_F(DatasetPartsTest, FractionMustBeBetweenZeroAndOne) {
  UseRows(10);
  for (const double fraction : {0.0, 1.0, -1.0, std::nan("")}) {
    data_.mutable_validation()->set_fraction(fraction);
    EXPECT_THAT(Open().status(), Fails(kInvalid, HasSubstr("data.validation.fraction")));
  }
}

TEST_F(DatasetPartsTest, TheThreePartsOfATrainingFileAreDisjointAndCoverIt) {
  UseRows(101);
  data_.mutable_validation()->set_fraction(0.2);
  data_.mutable_test()->set_fraction(0.1);
  const auto sets = Open(5);
  ASSERT_TRUE(sets.ok()) << sets.status();
  EXPECT_EQ(sets->validation->size(), 20);  // round(20.2)
  EXPECT_EQ(sets->test->size(), 10);        // round(10.1)
  EXPECT_EQ(sets->train->size(), 71);
  std::multiset<float> labels;
  for (const Dataset* part : {sets->train.get(), sets->validation.get(), sets->test.get()}) {
    for (int64_t i = 0; i < part->size(); ++i) labels.insert(part->label(i));
  }
  for (int i = 0; i < 101; ++i) EXPECT_EQ(labels.count(static_cast<float>(i)), 1u) << i;
}

TEST_F(DatasetPartsTest, OpenPartFindsTheRowsOfATrainingAgain) {
  UseRows(50);
  data_.mutable_validation()->set_fraction(0.2);
  data_.mutable_test()->set_fraction(0.3);
  const auto sets = Open(5);
  ASSERT_TRUE(sets.ok()) << sets.status();
  const std::string copy = folder_.Write("elsewhere.libsvm", testing::ReadWholeFile(data_.train()));
  for (const auto& [part, want] :
       {std::pair{"train", sets->train.get()}, std::pair{"validation", sets->validation.get()},
        std::pair{"test", sets->test.get()}}) {
    const auto again = OpenPart(data_, 5, copy, part, nullptr);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ((*again)->fingerprint(), want->fingerprint()) << part;
  }
}

TEST_F(DatasetPartsTest, OpenPartNamesTheFractionThatTheJobDoesNotHave) {
  UseRows(50);
  data_.mutable_test()->set_path("is not opened");
  EXPECT_THAT(OpenPart(data_, 5, data_.train(), "test", nullptr).status(),
              Fails(kInvalid, HasSubstr("the job has no data.test.fraction")));
  EXPECT_EQ((*OpenPart(data_, 5, data_.train(), "train", nullptr))->size(), 50);
}

TEST_F(DatasetPartsTest, ValidationFileHasTheFeaturesOfTheTrainingData) {
  data_.set_train(folder_.Write("t.libsvm", "1 1:1 9:1\n"));
  data_.mutable_validation()->set_path(folder_.Write("v.libsvm", "1 2:1\n0 4:1\n"));
  const auto sets = Open();
  ASSERT_TRUE(sets.ok()) << sets.status();
  EXPECT_EQ(sets->validation->features(), 9);
  EXPECT_EQ(sets->validation->size(), 2);
}

TEST_F(DatasetPartsTest, ATestFileHasTheFeaturesOfTheTrainingData) {
  data_.set_train(folder_.Write("t.libsvm", "1 1:1 9:1\n"));
  data_.mutable_test()->set_path(folder_.Write("v.libsvm", "1 2:1\n0 4:1\n"));
  const auto sets = Open();
  ASSERT_TRUE(sets.ok()) << sets.status();
  EXPECT_EQ(sets->test->features(), 9);
  EXPECT_EQ(sets->validation, nullptr);
}

}  // namespace
}  // namespace convoy
